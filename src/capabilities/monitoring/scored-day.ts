import type { Micros } from '../../base/time.ts';
import { decodeNumbers, encodeNumbers } from './cohort.ts';
import { DAY_MICROS, type Period } from './periods.ts';

/** What one version gives for a day's requests, beside what was answered and what came of it. */
export interface ScoredDay extends Period {
  /** Labels count that had occurred by then. */
  readonly at: Micros;
  /** Answered with a score, and of them with a label. */
  readonly requests: number;
  readonly labelled: number;
  /** Of the labelled: vectors of another definition, and what one of both gave no score for. */
  readonly otherDefinition: number;
  readonly unscored: number;
  /** Of the others, evenly spaced when there are many. */
  readonly fixed: Float64Array;
  readonly served: Float64Array;
  readonly labels: Float64Array;
}

type Numbers = 'fixed' | 'served' | 'labels';
type StoredDay = Omit<ScoredDay, Numbers> & Readonly<Record<Numbers, string>>;

export function encodeFixedDay(day: ScoredDay): StoredDay {
  const [fixed, served, labels] = [day.fixed, day.served, day.labels].map(encodeNumbers);
  return { ...day, fixed: fixed!, served: served!, labels: labels! };
}

export function decodeFixedDay(stored: StoredDay): ScoredDay {
  const { fixed, served, labels } = stored;
  return {
    ...stored,
    fixed: decodeNumbers(fixed),
    served: decodeNumbers(served),
    labels: decodeNumbers(labels),
  };
}

const DIGEST_SHOWN = 12;

/** By the bytes of the model: a version is never another one. */
export function fixedFile(
  { version, digest }: { readonly version: number; readonly digest: string },
  day: number,
): string {
  const hash = digest.replace(/^sha256:/, '').slice(0, DIGEST_SHOWN);
  return `fixed/${version}-${hash}/${day / DAY_MICROS}`;
}
