import type { RouteRevision } from './contract.ts';
import type { ServingStore } from './store.ts';

/** Revisions looked through at a time. */
const PAGE = 200;

/**
 * Versions whose golden requests and training rows were replayed, for this revision or one before
 * it of its endpoint, under the very features that it joins.
 */
export async function replayedVersions(
  store: Pick<ServingStore, 'listRevisions'>,
  current: RouteRevision | null,
): Promise<ReadonlySet<number>> {
  const replayed = new Set<number>();
  if (current === null || current.features === null) return replayed;
  const { service, definition } = current.features;
  let before: number | null = null;
  for (;;) {
    const page = await store.listRevisions(current.endpoint, { before, limit: PAGE });
    for (const { features, evidence } of page) {
      if (features?.service !== service || features.definition !== definition) continue;
      for (const { name, version } of evidence) if (name === 'golden') replayed.add(version);
    }
    if (page.length < PAGE) return replayed;
    before = page.at(-1)!.revision;
  }
}
