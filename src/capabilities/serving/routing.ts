import { assert } from '../../base/assert.ts';
import { BUCKETS, type Arm } from './contract.ts';

/** Where a request goes, and why. */
export interface Choice<A extends Pick<Arm, 'name' | 'weight'>> {
  readonly arm: A;
  readonly bucket: number;
}

/** A revision's arms laid out over the buckets, in order and without gaps. */
export interface RoutingTable<A extends Pick<Arm, 'name' | 'weight'>> {
  readonly salt: string;
  readonly ranges: readonly { readonly below: number; readonly arm: A }[];
}

/**
 * Arms take contiguous ranges in order: raising the last arm's weight never moves a caller back.
 */
export function layOut<A extends Pick<Arm, 'name' | 'weight'>>(
  arms: readonly A[],
  salt: string,
): RoutingTable<A> {
  const ranges: { below: number; arm: A }[] = [];
  let below = 0;
  for (const arm of arms) {
    if (arm.weight === 0) continue;
    below += arm.weight;
    ranges.push({ below, arm });
  }
  assert(below === BUCKETS, `arms cover ${below} buckets of ${BUCKETS}`);
  return { salt, ranges };
}

export function choose<A extends Pick<Arm, 'name' | 'weight'>>(
  table: RoutingTable<A>,
  key: string,
): Choice<A> {
  const bucket = bucketOf(table.salt, key);
  const { ranges } = table;
  let index = 0;
  while (bucket >= ranges[index]!.below) index += 1;
  return { arm: ranges[index]!.arm, bucket };
}

/**
 * Uniform over [0, BUCKETS): FNV-1a over UTF-16 units, then murmur3's finaliser to spread low bits.
 */
export function bucketOf(salt: string, key: string): number {
  let hash = 0x811c9dc5;
  hash = fnv1a(hash, salt);
  hash = Math.imul(hash ^ 0xff, 0x01000193);
  hash = fnv1a(hash, key);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % BUCKETS;
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash;
}
