import type { Micros } from '../../base/time.ts';
import type { LabelledRequests } from '../predictions/labelled-requests.ts';
import type { Period } from './periods.ts';

/**
 * Requests that one version answered on one day, once every one of them has had time for its label.
 * Only whole days count: labels of one class may come sooner, and a day half labelled would hold
 * more of it.
 */
export interface CohortDay {
  readonly from: Micros;
  readonly until: Micros;
  readonly version: number;
  /** Answered with a score. */
  readonly requests: number;
  /** Of them with a label. */
  readonly labelled: number;
  /** Of the labelled, evenly spaced when there are many. */
  readonly scores: Float64Array;
  readonly labels: Float64Array;
}

/** Rows of a day that quality is computed from; more would only take longer. */
export const COHORT_ROWS_MAX = 10_000;
/** Rows below which a day says nothing by itself. */
export const COHORT_ROWS_MIN = 30;

/** The cohorts of each version in a day's rows, by version. */
export function cohortsOf(rows: LabelledRequests, { from, until }: Period): readonly CohortDay[] {
  const byVersion = new Map<number, number[]>();
  for (let row = 0; row < rows.rowCount; row += 1) {
    if (rows.answeredAt[row]! < from || rows.answeredAt[row]! >= until) continue;
    if (rows.status[row]! >= 400 || !Number.isFinite(rows.score[row]!)) continue;
    const version = rows.version[row]!;
    const found = byVersion.get(version);
    if (found === undefined) byVersion.set(version, [row]);
    else found.push(row);
  }
  return [...byVersion]
    .sort(([a], [b]) => a - b)
    .map(([version, all]) => {
      const labelled = all.filter((row) => Number.isFinite(rows.label[row]!));
      const kept = evenlySpaced(labelled, COHORT_ROWS_MAX);
      return {
        from,
        until,
        version,
        requests: all.length,
        labelled: labelled.length,
        scores: Float64Array.from(kept, (row) => rows.score[row]!),
        labels: Float64Array.from(kept, (row) => rows.label[row]!),
      };
    });
}

/** As many of them as that at most. */
export function evenlySpaced(rows: readonly number[], max: number): readonly number[] {
  if (rows.length <= max) return rows;
  return Array.from({ length: max }, (_, index) => rows[Math.floor((index * rows.length) / max)]!);
}

/** Whether the day can stand for its requests. */
export function isWhole(
  cohort: Pick<CohortDay, 'requests' | 'labelled'>,
  coverage: number,
): boolean {
  const { requests, labelled } = cohort;
  return labelled >= COHORT_ROWS_MIN && labelled >= coverage * requests;
}

/** Stored form: numbers as base64 of their bytes. */
export interface StoredCohort extends Omit<CohortDay, 'scores' | 'labels'> {
  readonly scores: string;
  readonly labels: string;
}

export function encodeCohort(cohort: CohortDay): StoredCohort {
  return { ...cohort, scores: encodeNumbers(cohort.scores), labels: encodeNumbers(cohort.labels) };
}

export function decodeCohort(stored: StoredCohort): CohortDay {
  return { ...stored, scores: decodeNumbers(stored.scores), labels: decodeNumbers(stored.labels) };
}

/** As base64 of their bytes. */
export function encodeNumbers(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

export function decodeNumbers(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  const values = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  new Uint8Array(values.buffer).set(bytes);
  return values;
}
