import type { Micros } from '../../base/time.ts';
import type { LabelledRequests } from '../predictions/labelled-requests.ts';

/**
 * What numbers of a request are as long as its texts are the same: the distance between two cities,
 * the weight of an article. Learned from requests in which nothing had changed.
 */
export interface UnitMemory {
  /** By the number's name. */
  readonly inputs: Readonly<Record<string, KeyedValues>>;
}

export interface KeyedValues {
  /** By key: what it is, and how often that was seen, up to a limit. */
  readonly values: Readonly<Record<string, readonly [value: number, seen: number]>>;
  /** Sightings of a known key with its value, and with another one; older ones count less. */
  readonly same: number;
  readonly other: number;
  /** The change that goes on. */
  readonly open: OpenChange | null;
}

export interface OpenChange {
  readonly ratio: number;
  readonly since: Micros;
}

/** A number of one request with its key. */
export interface Sighting {
  readonly at: number;
  readonly key: string;
  readonly value: number;
}

export const EMPTY_MEMORY: UnitMemory = { inputs: {} };

/** Keys of one number: more are no kinds of things but things, and each is seen once. */
const KEYS_MAX = 20_000;
const SEEN_MAX = 20;
/** Sightings after which older ones begin to count less. */
const COUNTED_MAX = 10_000;
/** What joins the texts of a key: no text of a request holds it. */
const SEPARATOR = '\u001F';
/** Two values of one key that are nearer than this are one: texts are printed with few digits. */
const SAME_SHARE = 1e-3;

/** The numbers of answered requests by name, each with the request's texts as its key. */
export function sightingsOf(
  rows: LabelledRequests,
  ignore: ReadonlySet<string>,
): ReadonlyMap<string, readonly Sighting[]> {
  const texts = [...rows.texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, column]) => column);
  const found = new Map<string, readonly Sighting[]>();
  if (texts.length === 0) return found;
  const keys = Array.from({ length: rows.rowCount }, (_, row) => {
    if (rows.status[row]! >= 400 || texts.some(({ codes }) => codes[row]! < 0)) return null;
    return texts.map(({ codes, values }) => values[codes[row]!]!).join(SEPARATOR);
  });
  for (const [name, values] of rows.numbers) {
    if (ignore.has(name)) continue;
    const sightings: Sighting[] = [];
    for (const [row, key] of keys.entries()) {
      const value = values[row]!;
      if (key === null || !Number.isFinite(value) || value === 0) continue;
      sightings.push({ at: rows.answeredAt[row]!, key, value });
    }
    found.set(name, sightings);
  }
  return found;
}

export function isSame(value: number, known: number): boolean {
  return Math.abs(value - known) <= SAME_SHARE * Math.abs(known);
}

/** The memory after sightings in which nothing had changed. */
export function learned(
  known: KeyedValues | undefined,
  sightings: readonly Sighting[],
): KeyedValues {
  const values = new Map(Object.entries(known?.values ?? {}));
  let [same, other] = [known?.same ?? 0, known?.other ?? 0];
  for (const { key, value } of sightings) {
    const entry = values.get(key);
    if (entry === undefined) {
      if (values.size < KEYS_MAX) values.set(key, [value, 1]);
      continue;
    }
    const [expected, seen] = entry;
    if (isSame(value, expected)) {
      same += 1;
      values.set(key, [expected, Math.min(SEEN_MAX, seen + 1)]);
    } else {
      other += 1;
      values.set(key, seen > 1 ? [expected, seen - 1] : [value, 1]);
    }
  }
  const scale = Math.min(1, COUNTED_MAX / Math.max(1, same + other));
  return {
    values: Object.fromEntries(values),
    same: same * scale,
    other: other * scale,
    open: known?.open ?? null,
  };
}
