import { parseInstant, type Micros } from '../../base/time.ts';
import type { QuickstartReport } from './quickstart-report.ts';

export type MarkKind = 'promoted' | 'rolled_back' | 'rejected' | 'staged';

/** A moment that the charts show: a decision about a version, or a staged fault. */
export interface Mark {
  /** From 1, in order of time; the tables of decisions and faults show the same number. */
  readonly number: number;
  readonly kind: MarkKind;
  readonly at: Micros;
  /** Place in `decisions`, or in `staged`. */
  readonly index: number;
}

const MARKED: readonly string[] = ['promoted', 'rolled_back', 'rejected'] satisfies MarkKind[];

/** Those that lie within the charts' time. */
export function marksOf(report: QuickstartReport): readonly Mark[] {
  const span = spanOf(report);
  if (span === null) return [];
  const decisions = report.decisions.map(({ at, kind }, index) => ({ at, kind, index }));
  const faults = report.staged.map(({ at }, index) => ({ at, kind: 'staged', index }));
  return [...decisions.filter(({ kind }) => MARKED.includes(kind)), ...faults]
    .map((it) => ({ index: it.index, kind: it.kind as MarkKind, at: parseInstant(it.at) }))
    .filter((it): it is Omit<Mark, 'number'> => {
      return it.at !== null && it.at >= span.from && it.at <= span.until;
    })
    .toSorted((one, other) => one.at - other.at)
    .map((it, index) => ({ ...it, number: index + 1 }));
}

export interface Span {
  readonly from: Micros;
  readonly until: Micros;
}

/** The domain time that was replayed; null when none was. */
export function spanOf({ from, until }: QuickstartReport): Span | null {
  const start = parseInstant(from);
  const end = parseInstant(until);
  return start === null || end === null || end <= start ? null : { from: start, until: end };
}
