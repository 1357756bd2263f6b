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
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The hash before the first revision. */
export const GENESIS = '0'.repeat(64);

/** Whether no revision was altered or removed; `revisions` are all of an endpoint, oldest first. */
export function isChainIntact(revisions: readonly RouteRevision[]): boolean {
  let former = GENESIS;
  return revisions.every((revision, index) => {
    const holds =
      revision.revision === index + 1 && revision.hash === revisionHash(revision, former);
    former = revision.hash;
    return holds;
  });
}
