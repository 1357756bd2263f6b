import { AppError } from '../../base/errors.ts';
import { formatInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import { COMPARED_DAYS_MAX, type Compared, type Comparison } from './compare-contract.ts';
import type { ComparedLayout, CompareSource } from './compare-rows.ts';
import type { CompareTasks } from './compare-tasks.ts';
import type { QualitySpec } from './contract.ts';
import { FixedVersions } from './fixed-versions.ts';
import type { HistoryTasks } from './history-tasks.ts';
import { DAY_MICROS } from './periods.ts';

/** A model version as it can be scored. */
export interface ScorableVersion {
  /** Absolute path of the model's file. */
  readonly modelFile: string;
  /** SHA-256 of the file. */
  readonly digest: string;
  /** What it was trained on, as its run pinned it; null for a model that takes its own tensors. */
  readonly layout: { readonly definition: string; readonly features: readonly string[] } | null;
}

/** What comparisons ask of registry, serving, features and the prediction log. */
export interface CompareParts {
  /** Rejects with `MODEL_VERSION_NOT_FOUND` or `MODEL_NOT_SERVABLE`. */
  version(model: string, version: number): Promise<ScorableVersion>;
  /** Rejects with `ENDPOINT_NOT_FOUND`. */
  endpoint(name: string): Promise<{
    readonly model: string;
    readonly matureMicros: number | null;
  }>;
  /** Rejects with `TRAINING_SET_NOT_FOUND`. */
  trainingSet(
    name: string,
    version: number,
  ): Promise<{
    readonly source: Extract<CompareSource, { kind: 'training-set' }>;
    readonly layout: NonNullable<ScorableVersion['layout']>;
    readonly from: Micros;
    readonly until: Micros;
  }>;
  /** How the endpoint's monitor measures; rejects with `MONITOR_NOT_FOUND`. */
  quality(endpoint: string): Promise<QualitySpec>;
  /** Brings labels and the log up to now. */
  catchUp(at: Micros): Promise<void>;
}

export interface CompareAsked {
  readonly versions: readonly Compared[];
  readonly base?: Compared | undefined;
  readonly per?: 'day' | 'week' | undefined;
  readonly level?: number | undefined;
}

export interface CompareServiceDeps {
  readonly parts: CompareParts;
  readonly engine: Engine<CompareTasks & HistoryTasks>;
  readonly clock: Pick<Clock, 'now'>;
}

/** A year of requests takes minutes. */
const COMPARE_TIMEOUT_MS = 1800 * 1000;
const LEVEL = 0.95;

/** Scores versions on the same rows, for a person, a gate or a guard. */
export class CompareService {
  /** Versions held fixed, beside what was served. */
  readonly fixed: FixedVersions;
  readonly #deps: CompareServiceDeps;

  constructor(deps: CompareServiceDeps) {
    this.#deps = deps;
    this.fixed = new FixedVersions(deps);
  }

  /**
   * On the vectors of the endpoint's answered requests whose label is mature and there. Rejects
   * with `DEFINITION_SKEW` for a version that was trained on another definition than the others.
   */
  async onLog(
    asked: CompareAsked & {
      readonly endpoint: string;
      readonly from: Micros;
      readonly until: Micros;
      readonly at?: Micros | undefined;
    },
  ): Promise<Comparison> {
    const { parts, clock } = this.#deps;
    const { endpoint, from, until } = asked;
    const now = clock.now();
    const at = asked.at ?? now;
    assertSpan(from, until);
    const { model, matureMicros } = await parts.endpoint(endpoint);
    await parts.catchUp(now);
    const source = { kind: 'log', endpoint, matureMicros } as const;
    const found = await this.#compare(asked, { model, source, from, until, at, layout: 'any' });
    return { ...found, endpoint, trainingSet: null };
  }

  /** On rows of a training set's version; without a time on all of them. */
  async onRows(
    asked: CompareAsked & {
      readonly model: string;
      readonly trainingSet: string;
      readonly trainingVersion: number;
      readonly from?: Micros | undefined;
      readonly until?: Micros | undefined;
    },
  ): Promise<Comparison> {
    const { parts, clock } = this.#deps;
    const { model, trainingSet: name, trainingVersion: version } = asked;
    const set = await parts.trainingSet(name, version);
    const [from, until] = [asked.from ?? set.from, asked.until ?? set.until];
    assertSpan(from, until);
    const { source, layout } = set;
    const rows = { model, source, from, until, at: clock.now(), layout };
    const found = await this.#compare(asked, rows);
    return { ...found, endpoint: null, trainingSet: { name, version } };
  }

  async #compare(
    { versions, base = versions[0]!, per = 'day', level = LEVEL }: CompareAsked,
    rows: {
      readonly model: string;
      readonly source: CompareSource;
      readonly from: Micros;
      readonly until: Micros;
      readonly at: Micros;
      readonly layout: ComparedLayout;
    },
  ): Promise<Omit<Comparison, 'endpoint' | 'trainingSet'>> {
    const { parts, engine } = this.#deps;
    const { model, ...request } = rows;
    if (!versions.includes(base)) {
      throw new AppError('INVALID_INPUT', `The base ${base} is none of the compared versions.`);
    }
    const scorable: { version: Compared; modelFile: string | null }[] = [];
    // Of requests those are compared whose vectors follow what the versions were trained on.
    let { layout } = request;
    for (const version of versions) {
      if (version === 'served') {
        scorable.push({ version, modelFile: null });
        continue;
      }
      const found = await parts.version(model, version);
      if (layout === 'any') ({ layout } = found);
      assertSame(`${model}@${version}`, found.layout, layout);
      scorable.push({ version, modelFile: found.modelFile });
    }
    const input = { ...request, layout, versions: scorable, base, per, level };
    const options = { timeoutMs: COMPARE_TIMEOUT_MS };
    const outcome = await engine.run('monitoring.compare', input, options);
    const { from, until, at } = request;
    return {
      model,
      from: formatInstant(from),
      until: formatInstant(until),
      at: formatInstant(at),
      base,
      ...outcome,
    };
  }
}

/** Scores of a model on values that mean something else would be numbers, and mean nothing. */
function assertSame(
  version: string,
  own: ScorableVersion['layout'],
  rows: ScorableVersion['layout'],
): void {
  if (own?.definition === rows?.definition) return;
  const shown = (layout: ScorableVersion['layout']): string =>
    layout === null ? 'none that is known' : `definition ${layout.definition.slice(0, 12)}`;
  throw new AppError(
    'DEFINITION_SKEW',
    `${version} was trained on ${shown(own)}, the rows follow ${shown(rows)}.`,
    { hint: 'Compare versions that were trained on the same feature definition.' },
  );
}

function assertSpan(from: Micros, until: Micros): void {
  if (from >= until) {
    throw new AppError('INVALID_INPUT', 'The time ends before it begins.', {
      hint: 'Give from before until.',
    });
  }
  if (until - from <= COMPARED_DAYS_MAX * DAY_MICROS) return;
  throw new AppError('INVALID_INPUT', `A comparison is over ${COMPARED_DAYS_MAX} days at most.`);
}
