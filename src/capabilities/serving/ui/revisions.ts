import { formatShare } from '../../../web/kit/format.ts';
import { BUCKETS, type RouteRevision } from '../contract.ts';

/** `green v3 100 %`. */
export function armsText({ arms }: RouteRevision): string {
  return arms
    .map(({ name, version, weight }) => `${name} v${version} ${formatShare(weight, BUCKETS)}`)
    .join(', ');
}

/**
 * What a rollback returns to: the one before what is served, where a revision that restores another
 * counts as that other. Null when there is none, or it is not among those given.
 */
export function revisionBefore(
  current: RouteRevision,
  revisions: readonly RouteRevision[],
): RouteRevision | null {
  const byNumber = new Map(revisions.map((one) => [one.revision, one]));
  let served: RouteRevision | undefined = current;
  while (served !== undefined && served.restores !== null) served = byNumber.get(served.restores);
  return served === undefined ? null : (byNumber.get(served.revision - 1) ?? null);
}
