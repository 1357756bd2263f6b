/** What the quickstart measured; `--json` writes it. */
export interface QuickstartReport {
  readonly phases: { readonly name: string; readonly seconds: number }[];
  /** Rows of the training set, and those left out by reason. */
  training: { rows: number; leftOut: Record<string, number> } | null;
  readonly checks: { readonly name: string; readonly result: string; readonly summary: string }[];
  requests: number;
  answered: number;
  logged: number;
  labelled: number;
  /** Logged vectors recomputed from the tables, and those that differed. */
  recomputed: number;
  mismatches: number;
  versions: { readonly version: number; readonly requests: number }[];
}

export function emptyReport(): QuickstartReport {
  return {
    phases: [],
    training: null,
    checks: [],
    requests: 0,
    answered: 0,
    logged: 0,
    labelled: 0,
    recomputed: 0,
    mismatches: 0,
    versions: [],
  };
}
