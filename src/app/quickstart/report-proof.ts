import type { QuickstartReport } from './quickstart-report.ts';
import { count, counted } from './report-figures.ts';

export interface Proof {
  /** Null when nothing was replayed: then nothing is proven either. */
  readonly isTrue: boolean | null;
  /** What does not add up, each with its number. */
  readonly faults: readonly string[];
}

/** Whether every request was answered, logged and recomputed to the same vector. */
export function proofOf(report: QuickstartReport): Proof {
  const { requests, answered, logged, labelled, recomputed, mismatches } = report;
  const byVersion = report.versions.reduce((sum, version) => sum + version.requests, 0);
  const faults = [
    ...apart(requests - answered, 'requests not answered', 'answers without a request'),
    ...apart(
      answered - byVersion,
      'answers of no version',
      'requests by version beyond the answers',
    ),
    ...apart(answered - logged, 'answers not in the log', 'rows of the log without an answer'),
    ...apart(
      logged - recomputed,
      'logged vectors not recomputed',
      'recomputed vectors not in the log',
    ),
    ...apart(Math.min(0, logged - labelled), '', 'labels without a row in the log'),
    ...apart(mismatches, 'recomputed vectors unlike the served ones', ''),
  ];
  if (faults.length > 0) return { isTrue: false, faults };
  return { isTrue: requests === 0 ? null : true, faults };
}

/** The proof in a sentence. */
export function proofText(report: QuickstartReport): string {
  const { isTrue, faults } = proofOf(report);
  if (isTrue === null) return 'No requests were replayed, so there is nothing to add up.';
  if (!isTrue) return `It does not add up: ${faults.join('; ')}.`;
  return (
    `It adds up: ${counted(report.requests, 'request')}, as many answers, as many rows in the log, ` +
    'and as many feature vectors recomputed from the tables, with 0 mismatches.'
  );
}

function apart(by: number, missing: string, extra: string): readonly string[] {
  if (by === 0) return [];
  return [`${by > 0 ? missing : extra} ${count(Math.abs(by))}`];
}
