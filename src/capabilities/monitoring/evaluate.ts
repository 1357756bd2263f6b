import { micros, type Micros } from '../../base/time.ts';
import type { FeatureLayout, LabelledRequests } from '../predictions/labelled-requests.ts';
import { buildProfile, type ProfileDeps, type VersionFacts } from './build-profile.ts';
import { checkOf, WHOLE } from './check-of.ts';
import type { CohortDay } from './cohort.ts';
import type { Check, EvaluatedVersion, MonitorSpec, QualityReference } from './contract.ts';
import { DayCohorts } from './day-cohorts.ts';
import { judgeCalibration } from './judge-calibration.ts';
import { judgeMissing, judgeRange } from './judge-columns.ts';
import { judgeDrift } from './judge-drift.ts';
import { judgeCoverage, judgeSilence, SILENCE_DAYS, type LabelEvents } from './judge-labels.ts';
import { judgeQuality } from './judge-quality.ts';
import { judgeTraffic } from './judge-traffic.ts';
import { judgeUnits } from './judge-unit-change.ts';
import { labelEvents } from './label-events.ts';
import { DAY_MICROS, slicesOf, spanMicros, type Period } from './periods.ts';
import { decodeProfile, encodeProfile, type Profile } from './profile.ts';
import type { ReadRows } from './rows-port.ts';
import { latencyQuantile, SLICE_ROWS_MAX, slicesIn, type Slice } from './slice.ts';
import type { SummaryFiles } from './summary-files.ts';
import { EMPTY_MEMORY, learned, sightingsOf, type UnitMemory } from './unit-memory.ts';

export interface EvaluateInput {
  readonly endpoint: string;
  /** A boundary between two slices: only what was before it is looked at. */
  readonly at: Micros;
  readonly spec: MonitorSpec;
  /** Null when no label is declared that belongs to the endpoint. */
  readonly label: { readonly name: string; readonly matureMicros: number } | null;
  /** Versions that answered within the drift window. */
  readonly versions: readonly (VersionFacts & { readonly model: string })[];
  /** Of the definitions that their vectors follow. */
  readonly layouts: readonly FeatureLayout[];
}

/** What was found before it is known what was found before. */
export interface EvaluateOutcome {
  readonly versions: readonly EvaluatedVersion[];
  readonly checks: readonly Check[];
  readonly references: readonly QualityReference[];
}

export interface EvaluateDeps extends ProfileDeps {
  readonly files: SummaryFiles;
  readonly readRows: ReadRows;
}

/** Days of history that traffic and silence are compared with. */
const HISTORY_DAYS = SILENCE_DAYS;
/** Days from which is learned what numbers are for their keys, when nothing is known. */
const LEARN_DAYS = 14;

/** A slice of time as it is kept. */
export interface StoredSlice {
  readonly slices: readonly Slice[];
  readonly labels: LabelEvents;
  /** Digests of the versions whose columns were counted. */
  readonly profiled: readonly string[];
}

interface StoredUnits {
  readonly at: Micros;
  readonly checks: readonly Check[];
  readonly memory: UnitMemory;
}

/** One evaluation of a monitor: reads what is new, and judges. */
export class MonitorEvaluation {
  readonly #deps: EvaluateDeps;
  readonly #input: EvaluateInput;
  readonly #signal: AbortSignal;
  readonly #ignore: ReadonlySet<string>;
  /** Rows of the newest slice, when they were read. */
  #newest: { readonly from: Micros; readonly rows: LabelledRequests } | null = null;

  constructor(deps: EvaluateDeps, input: EvaluateInput, signal: AbortSignal) {
    this.#deps = deps;
    this.#input = input;
    this.#signal = signal;
    this.#ignore = new Set(input.spec.ignore);
  }

  async run(): Promise<EvaluateOutcome> {
    const { at, spec, label, versions } = this.#input;
    const profiles = await this.#profiles();
    const [history, cohorts] = await Promise.all([
      this.#history(profiles),
      label === null ? null : this.#cohorts(label.matureMicros),
    ]);
    const slices = history.flatMap((one) => one.slices);
    const every = Math.min(spanMicros(spec.every), HISTORY_DAYS * DAY_MICROS);
    const last = { from: micros(at - every), until: at };
    const checks: Check[] = [...judgeTraffic({ ...last, slices })];
    checks.push(...this.#labelChecks(cohorts, history));
    const references: QualityReference[] = [];
    const window = micros(at - spanMicros(spec.drift.window));
    const recent = slices.filter(({ from }) => from >= window);
    for (const { version } of versions) {
      const found = this.#versionChecks(version, { cohorts, profiles, slices: recent });
      checks.push(...found.checks);
      if (found.reference !== null) references.push(found.reference);
    }
    checks.push(...(await this.#units(every)));
    const answered = slices.filter(({ from }) => from >= last.from);
    return { versions: this.#answered(answered), checks, references };
  }

  #answered(slices: readonly Slice[]): readonly EvaluatedVersion[] {
    return this.#input.versions.map(({ model, version }) => {
      const own = slices.filter((slice) => slice.version === version);
      return {
        model,
        version,
        requests: own.reduce((sum, { requests }) => sum + requests, 0),
        errors: own.reduce((sum, { errors }) => sum + errors, 0),
        p50Us: latencyQuantile(own, 0.5),
        p99Us: latencyQuantile(own, 0.99),
      };
    });
  }

  async #profiles(): Promise<ReadonlyMap<number, Profile>> {
    const { files } = this.#deps;
    const { endpoint, versions } = this.#input;
    const profiles = new Map<number, Profile>();
    for (const facts of versions) {
      const { version, training } = facts;
      if (training === null) continue;
      const name = profileFile(facts);
      let profile = await files.read(endpoint, name, decodeProfile);
      if (profile === null) {
        profile = await buildProfile(this.#deps, { ...facts, training }, this.#signal);
        await files.write(endpoint, name, { value: profile, encode: encodeProfile });
      }
      profiles.set(version, profile);
    }
    return profiles;
  }

  /** Summaries of the last weeks, those that are new made now. */
  async #history(profiles: ReadonlyMap<number, Profile>): Promise<readonly StoredSlice[]> {
    const { at, spec } = this.#input;
    const span = { from: micros(at - HISTORY_DAYS * DAY_MICROS), until: at };
    const window = at - spanMicros(spec.drift.window);
    const found: StoredSlice[] = [];
    for (const period of slicesOf(span, spanMicros(spec.every))) {
      const wanted = period.from >= window ? profiles : NO_PROFILES;
      found.push(await this.#slice(period, wanted));
    }
    return found;
  }

  async #slice(period: Period, profiles: ReadonlyMap<number, Profile>): Promise<StoredSlice> {
    const { files, readRows } = this.#deps;
    const { endpoint, at, layouts, versions } = this.#input;
    const name = sliceFile(period);
    const stored = await files.read<StoredSlice>(endpoint, name, same);
    const profiled = versions
      .filter(({ version }) => profiles.has(version))
      .map((facts) => profileFile(facts));
    if (stored !== null && profiled.every((one) => stored.profiled.includes(one))) return stored;
    const isNewest = period.until === at;
    const rows = await readRows(
      {
        endpoint,
        ...period,
        at,
        layouts: profiles.size === 0 ? [] : layouts,
        withInputs: isNewest || profiles.size > 0,
        documentsMax: SLICE_ROWS_MAX,
      },
      this.#signal,
    );
    if (isNewest) this.#newest = { from: period.from, rows };
    const value: StoredSlice = {
      slices: slicesIn(rows, period, profiles),
      labels: await labelEvents(this.#deps, { endpoint, ...period }, this.#signal),
      profiled,
    };
    await files.write(endpoint, name, { value, encode: same });
    return value;
  }

  async #cohorts(matureMicros: number): Promise<readonly CohortDay[]> {
    const { endpoint, at, spec } = this.#input;
    const request = { endpoint, at, matureMicros, spec: spec.quality };
    return await new DayCohorts(this.#deps).upTo(request, this.#signal);
  }

  #labelChecks(
    cohorts: readonly CohortDay[] | null,
    history: readonly StoredSlice[],
  ): readonly Check[] {
    const { at, label, spec, endpoint } = this.#input;
    if (label === null || cohorts === null) {
      const topic = { kind: 'labels', subject: WHOLE, version: null } as const;
      const text =
        `No label is declared whose match is the key of ${endpoint}, so nothing can be said of ` +
        'its quality; declare one in the section labels.';
      return [checkOf(topic, 'no_data', text)];
    }
    const events = history.map(({ labels }) => labels);
    const last = events.findLast(({ last: time }) => time !== null)?.last ?? at;
    const asked = history
      .flatMap(({ slices }) => slices)
      .filter(({ until }) => until > last - DAY_MICROS)
      .reduce((sum, { requests }) => sum + requests, 0);
    return [
      judgeCoverage({ label: label.name, spec: spec.quality, cohorts }),
      judgeSilence({ label: label.name, at, events, asked }),
    ];
  }

  #versionChecks(
    version: number,
    of: {
      readonly cohorts: readonly CohortDay[] | null;
      readonly profiles: ReadonlyMap<number, Profile>;
      readonly slices: readonly Slice[];
    },
  ): { readonly checks: readonly Check[]; readonly reference: QualityReference | null } {
    const { at, spec } = this.#input;
    const checks: Check[] = [];
    let reference: QualityReference | null = null;
    if (of.cohorts !== null) {
      const cohorts = of.cohorts.filter((one) => one.version === version);
      const quality = judgeQuality({ spec: spec.quality, version, at, cohorts });
      const calibration = judgeCalibration({ spec: spec.quality, version, cohorts });
      checks.push(quality.check);
      if (calibration !== null) checks.push(calibration);
      ({ reference } = quality);
    }
    const profile = of.profiles.get(version);
    if (profile === undefined) {
      const text =
        'The training rows of this version are not known: it was not made by a run that pins them.';
      checks.push(checkOf({ kind: 'drift', subject: WHOLE, version }, 'no_data', text));
      return { checks, reference };
    }
    const asked = { profile, slices: of.slices, ignore: this.#ignore };
    checks.push(...judgeDrift({ ...asked, spec: spec.drift }));
    checks.push(...judgeMissing(asked), ...judgeRange(asked));
    return { checks, reference };
  }

  async #units(every: number): Promise<readonly Check[]> {
    const { files } = this.#deps;
    const { endpoint, at } = this.#input;
    const stored = await files.read<StoredUnits>(endpoint, UNITS, same);
    if (stored?.at === at) return stored.checks;
    const known = stored !== null && stored.at < at ? stored : null;
    // After a pause of evaluations everything since the last one is new.
    const earliest = at - LEARN_DAYS * DAY_MICROS;
    const from = micros(known === null ? at - every : Math.max(known.at, earliest));
    const memory = known?.memory ?? (await this.#learn(micros(earliest - every), from));
    const found = judgeUnits(await this.#sightings(from, at), memory);
    const value: StoredUnits = { at, ...found };
    if (stored === null || stored.at < at) {
      await files.write(endpoint, UNITS, { value, encode: same });
    }
    return found.checks;
  }

  async #learn(from: Micros, until: Micros): Promise<UnitMemory> {
    const inputs: Record<string, ReturnType<typeof learned>> = { ...EMPTY_MEMORY.inputs };
    for (const period of slicesOf({ from, until }, DAY_MICROS)) {
      const end = micros(Math.min(period.until, until));
      for (const [name, seen] of await this.#sightings(period.from, end)) {
        inputs[name] = learned(inputs[name], seen);
      }
    }
    return { inputs };
  }

  async #sightings(from: Micros, until: Micros) {
    const { endpoint, at } = this.#input;
    if (until === at && this.#newest?.from === from) {
      return sightingsOf(this.#newest.rows, this.#ignore);
    }
    // Of as many as a slice reads, so that it does not matter which of the two was read.
    const documentsMax = SLICE_ROWS_MAX;
    const request = { endpoint, from, until, at, layouts: [], withInputs: true, documentsMax };
    const rows = await this.#deps.readRows(request, this.#signal);
    return sightingsOf(rows, this.#ignore);
  }
}

const NO_PROFILES: ReadonlyMap<number, Profile> = new Map();
const UNITS = 'units';

export function sliceFile({ from, until }: Period): string {
  return `slices/${from}-${until}`;
}

/** Another model file or training set under one number is another profile. */
export function profileFile({ version, digest, training }: VersionFacts): string {
  return `profiles/${version}-${digest.slice(0, 12)}-${training?.tableVersion ?? 0}`;
}

function same<Value>(value: Value): Value {
  return value;
}
