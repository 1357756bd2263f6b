/** What the quickstart measured; `--json` writes it, and `report.html` shows it. */
export interface QuickstartReport {
  readonly phases: { readonly name: string; readonly seconds: number }[];
  /** Rows of the first training set, and those left out by reason. */
  training: { rows: number; leftOut: Record<string, number> } | null;
  /** What the first version was looked at for before it took traffic. */
  readonly deployment: {
    readonly name: string;
    readonly result: string;
    readonly summary: string;
  }[];
  /** Domain time that was replayed; RFC 3339. */
  from: string;
  until: string;
  /** Departures of the minutes played, as the data has them. */
  requests: number;
  /** As the server counted them, by version. */
  answered: number;
  /** Rows of the prediction log. */
  logged: number;
  labelled: number;
  /** Logged vectors recomputed from the tables, and those that differed. */
  recomputed: number;
  mismatches: number;
  versions: readonly { readonly version: number; readonly requests: number }[];
  /** Oldest first. */
  decisions: readonly ReportedDecision[];
  /** The first version and what was served, scored on the same labelled requests. */
  static: Figures;
  loop: Figures;
  weeks: readonly { readonly from: string; readonly static: Figures; readonly loop: Figures }[];
  level: number | null;
  checks: readonly { readonly id: string; readonly state: string }[];
  /** Faults that were staged, in words, with the domain time of each. */
  readonly staged: { readonly at: string; readonly what: string }[];
}

export interface ReportedDecision {
  /** Domain time. */
  readonly at: string;
  readonly kind: string;
  readonly reason: string;
}

/** Null where there were no labelled requests of both outcomes. */
export interface Figures {
  readonly auc: number | null;
  readonly logloss: number | null;
}

const NOTHING: Figures = { auc: null, logloss: null };

export function emptyReport(): QuickstartReport {
  return {
    phases: [],
    training: null,
    deployment: [],
    from: '',
    until: '',
    requests: 0,
    answered: 0,
    logged: 0,
    labelled: 0,
    recomputed: 0,
    mismatches: 0,
    versions: [],
    decisions: [],
    static: NOTHING,
    loop: NOTHING,
    weeks: [],
    level: null,
    checks: [],
    staged: [],
  };
}
