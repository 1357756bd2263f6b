import { z } from 'zod';
import type { Fact } from '../../platform/capability.ts';
import { micros, type Micros } from '../../base/time.ts';

/** What a fact of each kind says; capabilities tell the ones of their own things. */
const SCHEMAS = {
  /** A tracked run; the subject is its id. */
  run: z.object({
    owner: z.string(),
    status: z.string(),
    commit: z.string().nullable(),
    codeTree: z.string().nullable(),
    params: z.number(),
    metrics: z.number(),
    /** What it read: `late_train@3`, `main.landings@118`, or a name with a digest. */
    data: z.array(z.string()),
    /** Data sets it says it was evaluated on. */
    evaluatedOn: z.array(z.string()),
    environment: z.string().nullable(),
    definition: z.string().nullable(),
    command: z.string().nullable(),
    pipelineRun: z.string().nullable(),
    trainingSet: z.string().nullable(),
  }),
  /** A registered version: `late@3`. */
  version: z.object({
    id: z.string(),
    version: z.number(),
    digest: z.string(),
    sizeBytes: z.number(),
    runId: z.string().nullable(),
    description: z.string(),
    /** Files of its folder that list packages. */
    packages: z.array(z.string()),
  }),
  /** A route revision: `late@12`. */
  revision: z.object({
    revision: z.number(),
    arms: z.array(
      z.object({
        model: z.string(),
        version: z.number(),
        digest: z.string(),
        weight: z.number(),
      }),
    ),
    actor: z.string(),
    restores: z.number().nullable(),
    isDrill: z.boolean(),
    definition: z.string().nullable(),
    /** Milliseconds from the request to the publication, where they were measured. */
    tookMs: z.number().nullable(),
  }),
  endpoint: z.object({ service: z.string().nullable(), key: z.string().nullable() }),
  /** A pipeline run that is over. */
  pipeline_run: z.object({
    state: z.string(),
    actor: z.string(),
    folder: z.string(),
    stages: z.array(
      z.object({
        stage: z.string(),
        state: z.string(),
        attempts: z.number(),
        code: z.string().nullable(),
        command: z.string(),
      }),
    ),
  }),
  /** The code a run was started from, as git knows it now; the subject is the commit. */
  commit: z.object({
    tree: z.string(),
    /** Files in which the run's tree differs from the commit's; null when git cannot tell. */
    changed: z.number().nullable(),
    isPushed: z.boolean(),
    committedAt: z.number(),
  }),
  /** A built version of a training set: `late_train@3`. */
  training_set: z.object({
    rows: z.number(),
    definition: z.string(),
    sources: z.array(z.string()),
  }),
  /** What became of the labels of the newest days' requests; the subject is the endpoint. */
  labels: z.object({
    label: z.string().nullable(),
    days: z.number(),
    requests: z.number(),
    mature: z.number(),
    coverage: z.number().nullable(),
    delays: z.array(z.object({ seconds: z.number(), share: z.number() })),
  }),
  monitor: z.object({ isAuto: z.boolean(), everyMicros: z.number() }),
  /** An evaluation; `loud` has what was not ok, `kinds` all it looked at where that was read. */
  evaluation: z.object({
    versions: z.array(z.object({ model: z.string(), version: z.number(), requests: z.number() })),
    loud: z.array(z.object({ kind: z.string(), state: z.string() })),
    kinds: z.array(z.object({ kind: z.string(), state: z.string() })).nullable(),
  }),
  loop: z.object({
    autonomy: z.string(),
    retrains: z.number(),
    perMicros: z.number(),
    minRows: z.number(),
  }),
  /** One way from a trigger to an end; its times are domain times. */
  instance: z.object({
    loop: z.string(),
    state: z.string(),
    isManual: z.boolean(),
    isTraining: z.boolean(),
    causes: z.array(z.string()),
    champion: z.number(),
    challenger: z.number().nullable(),
    startedAt: z.number(),
    deployedAt: z.number().nullable(),
    pipelineRun: z.string().nullable(),
  }),
  /** A decision: `late/17`. */
  decision: z.object({
    number: z.number(),
    decision: z.string(),
    actor: z.string(),
    reason: z.string(),
    instance: z.string().nullable(),
    /** Limits that stood against it: `cooldown`, `budget`, `rows`. */
    blockedBy: z.array(z.string()),
    /** What a gate compared, on which days. */
    compared: z
      .object({
        champion: z.number(),
        challenger: z.number(),
        rows: z.number(),
        from: z.number(),
        until: z.number(),
      })
      .nullable(),
  }),
  /** A plan that was put in force. */
  applied: z.object({ plan: z.string(), changes: z.number() }),
  /** The declared state compared with what is. */
  plan_checked: z.object({ differences: z.number() }),
  // What no capability tells of yet; until one does, the checks that need it are unknown.
  /** A result of CI for a commit. */
  ci: z.object({ isGreen: z.boolean(), suites: z.array(z.string()), isSmokeRun: z.boolean() }),
  /** Who wrote a commit and who approved it. */
  review: z.object({ author: z.string(), approvedBy: z.array(z.string()) }),
  /** A run that was repeated from its record. */
  rerun: z.object({ verdict: z.string() }),
  /** A look for secrets in what was recorded. */
  secrets_scan: z.object({ found: z.number() }),
  /** A version that ran in another environment first: `late@3`. */
  staged: z.object({ environment: z.string(), passed: z.boolean() }),
  /** What a person signed. */
  attestation: z.object({ about: z.string(), by: z.string(), says: z.string() }),
  /** An alert that was sent as a test, and whether it arrived. */
  pager_test: z.object({ delivered: z.boolean() }),
} as const;

export type FactKind = keyof typeof SCHEMAS;

/** A fact whose data was checked. */
export interface Known<Kind extends FactKind = FactKind> {
  readonly kind: Kind;
  readonly subject: string;
  readonly at: Micros;
  readonly wall: Micros;
  readonly data: z.infer<(typeof SCHEMAS)[Kind]>;
}

const DAY_MICROS = 86_400_000_000;

export interface FactTimes {
  /** Domain time: what happened later does not count. */
  readonly now: Micros;
  readonly evidenceDays: number;
}

/** All facts about one endpoint and its model, by kind, the newest first. */
export class FactBook {
  readonly now: Micros;
  readonly evidenceDays: number;
  readonly #byKind: ReadonlyMap<string, readonly Known[]>;

  constructor(facts: readonly Fact[], { now, evidenceDays }: FactTimes) {
    this.now = now;
    this.evidenceDays = evidenceDays;
    const known = facts.filter(({ at }) => at <= now).flatMap(parse);
    this.#byKind = Map.groupBy(
      known.toSorted((a, b) => b.at - a.at || b.wall - a.wall),
      ({ kind }) => kind,
    );
  }

  all<Kind extends FactKind>(kind: Kind): readonly Known<Kind>[] {
    return (this.#byKind.get(kind) ?? []) as readonly Known<Kind>[];
  }

  /** Those that count as evidence of what somebody did. */
  recent<Kind extends FactKind>(kind: Kind): readonly Known<Kind>[] {
    return this.all(kind).filter((fact) => this.isRecent(fact));
  }

  /** The newest one of the subject. */
  find<Kind extends FactKind>(kind: Kind, subject: string | null): Known<Kind> | null {
    return this.all(kind).find((fact) => fact.subject === subject) ?? null;
  }

  isRecent({ at }: { readonly at: Micros }): boolean {
    return at > this.since;
  }

  get since(): Micros {
    return micros(this.now - this.evidenceDays * DAY_MICROS);
  }

  ageDays({ at }: { readonly at: Micros }): number {
    return Math.floor((this.now - at) / DAY_MICROS);
  }
}

/** A kind that nobody here knows is another's; a known one that does not parse is our own bug. */
function parse(fact: Fact): readonly Known[] {
  if (!Object.hasOwn(SCHEMAS, fact.kind)) return [];
  const kind = fact.kind as FactKind;
  return [{ ...fact, kind, data: SCHEMAS[kind].parse(fact.data) }];
}
