import { createHash } from 'node:crypto';
import type { RouteRevision } from './contract.ts';

/** What a revision's hash covers: everything it says, and the hash of the one before it. */
export function revisionHash(revision: Omit<RouteRevision, 'hash'>, former: string): string {
  const content = [
    revision.id,
    revision.endpoint,
    revision.revision,
    revision.arms.map(({ name, model, version, digest, weight }) => [
      name,
      model,
      version,
      digest,
      weight,
    ]),
    revision.salt,
    revision.actor,
    revision.reason,
    revision.restores,
    revision.now,
    revision.wall,
    former,
    ...featureContent(revision),
    ...(revision.isDrill ? ['drill'] : []),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** Nothing for revisions without features: so are those of former versions, whose hashes hold. */
function featureContent({
  features,
  evidence,
}: Pick<RouteRevision, 'features' | 'evidence'>): readonly unknown[] {
  if (features === null && evidence.length === 0) return [];
  return [
    features === null ? null : [features.service, features.definition],
    evidence.map(({ name, version, result, summary, numbers }) => [
      name,
      version,
      result,
      summary,
      Object.entries(numbers),
    ]),
  ];
}

/** A revision whose hash is known to hold. */
export interface ChainLink {
  readonly revision: number;
  readonly hash: string;
}

/** What comes before the first revision. */
export const GENESIS: ChainLink = { revision: 0, hash: '0'.repeat(64) };

/**
 * The last of the revisions that follow a link, oldest first; null when one of them was altered,
 * removed or put in between.
 */
export function followChain(
  after: ChainLink,
  revisions: readonly RouteRevision[],
): ChainLink | null {
  let former = after;
  for (const next of revisions) {
    const holds =
      next.revision === former.revision + 1 && next.hash === revisionHash(next, former.hash);
    if (!holds) return null;
    former = next;
  }
  return { revision: former.revision, hash: former.hash };
}
