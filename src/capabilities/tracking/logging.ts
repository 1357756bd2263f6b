import { AppError } from '../../base/errors.ts';
import {
  checkKey,
  checkLength,
  invalid,
  invalidValue,
  LIMITS,
} from '../../formats/mlflow/names.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import type { MetricsStore, Point, PointAfter } from './metrics-store.ts';
import type { PointsRow } from './rows.ts';
import type { Runs } from './runs.ts';
import { mlflowRunId, type RunsStore } from './runs-store.ts';

/** Points of a history read at once. */
const HISTORY_AT_ONCE = 5000;
/** Runs, and steps of each, that one comparison of curves may ask for. */
const INTERVAL_RUNS_MAX = 100;
const INTERVAL_STEPS_MAX = 2500;
/** Points of one step: a step logged more often is a mistake that a chart need not draw whole. */
const STEP_POINTS_MAX = 100;
/** Points of one answer over all of its runs, some 10 MB of text. */
const INTERVAL_POINTS_MAX = 100_000;

/** What runs measure and were given. */
export class Logging {
  readonly #runs: Runs;
  readonly #runsStore: RunsStore;
  readonly #store: MetricsStore;

  constructor(deps: {
    readonly runs: Runs;
    readonly runsStore: RunsStore;
    readonly store: MetricsStore;
  }) {
    this.#runs = deps.runs;
    this.#runsStore = deps.runsStore;
    this.#store = deps.store;
  }

  /** All of it or nothing; sending it again changes nothing. */
  async log(
    id: string,
    batch: {
      readonly metrics: readonly Point[];
      readonly params: readonly KeyValue[];
      readonly tags: readonly KeyValue[];
    },
  ): Promise<void> {
    checkBatch(batch);
    const run = await this.#runsStore.key(id);
    const params = batch.params.map(({ key, value }) => ({
      key,
      value: value.slice(0, LIMITS.paramValue),
    }));
    const changed = new AppError('PARAM_CHANGED', 'Changing param values is not allowed.');
    try {
      await this.#runsStore.write([
        this.#runsStore.requireActive(id),
        ...this.#store.pointSteps(run, batch.metrics),
        ...this.#store.paramSteps(run, params, changed),
        ...(await this.#runs.tagSteps(id, batch.tags)),
      ]);
    } catch (thrown) {
      if (thrown !== changed) throw thrown;
      throw await this.#explain(id, params);
    }
  }

  /** Points after `after`, at most `limit`, by (step, timestamp, value). */
  async history(query: {
    readonly id: string;
    readonly key: string;
    readonly after: PointAfter | null;
    readonly limit: number;
  }): Promise<readonly PointsRow[]> {
    const run = await this.#runsStore.key(query.id);
    return this.#store.history({ ...query, run });
  }

  /** The whole history, some thousand points at a time. */
  async *wholeHistory(id: string, key: string): AsyncGenerator<readonly PointsRow[]> {
    let after: PointAfter | null = null;
    for (;;) {
      const points: readonly PointsRow[] = await this.history({
        id,
        key,
        after,
        limit: HISTORY_AT_ONCE,
      });
      yield points;
      after = points.at(-1) ?? null;
      if (points.length < HISTORY_AT_ONCE) return;
    }
  }

  /**
   * Curves of several runs thinned to about `perRun` steps, the same steps for all of them; each
   * keeps its first and its last one. Of a step logged many times the last points are kept.
   */
  async interval(query: {
    readonly ids: readonly string[];
    readonly key: string;
    readonly from: number | null;
    readonly to: number | null;
    readonly perRun: number;
  }): Promise<readonly { readonly id: string; readonly points: readonly PointsRow[] }[]> {
    const { ids, key, from, to, perRun } = query;
    if (ids.length === 0 || ids.length > INTERVAL_RUNS_MAX) {
      throw invalid(`GetMetricHistoryBulkInterval takes 1 to ${INTERVAL_RUNS_MAX} run_ids.`);
    }
    if (perRun < 1 || perRun > INTERVAL_STEPS_MAX) {
      throw invalidValue('max_results', perRun, `must be between 1 and ${INTERVAL_STEPS_MAX}`);
    }
    if ((from === null) !== (to === null)) {
      throw invalid('If either start step or end step are specified, both must be specified.');
    }
    const runs = await Promise.all(ids.map((id) => this.#runsStore.key(id)));
    // Each run's share of the answer, with its two ends.
    const share = Math.floor(INTERVAL_POINTS_MAX / runs.length);
    const limit = Math.min(perRun, share - 2);
    const sampled = await this.#store.sampledSteps({ runs, key, from, to, limit });
    const curves = [];
    for (const run of runs) {
      const ends = await this.#store.endSteps({ run, key, from, to });
      const steps = ends.length === 0 ? [] : [...new Set([...sampled, ...ends])];
      const perStep = Math.min(STEP_POINTS_MAX, Math.floor(share / Math.max(1, steps.length)));
      const points = await this.#store.pointsAt({ run, key, steps, perStep });
      curves.push({ id: run.id, points });
    }
    return curves;
  }

  /** Names the first parameter that would have changed, with both values. */
  async #explain(id: string, params: readonly KeyValue[]): Promise<AppError> {
    const run = await this.#runsStore.key(id);
    const stored = await this.#store.params(
      run,
      params.map((param) => param.key),
    );
    const former = new Map(stored.map(({ key, value }) => [key, value]));
    const param = params.find(({ key, value }) => former.has(key) && former.get(key) !== value);
    const key = param?.key ?? '';
    return new AppError(
      'PARAM_CHANGED',
      `Changing param values is not allowed. Param with key='${key}' was already logged with ` +
        `value='${former.get(key) ?? ''}' for run ID='${mlflowRunId(id)}'. Attempted logging new ` +
        `value '${param?.value ?? ''}'.`,
    );
  }
}

function checkBatch(batch: {
  readonly metrics: readonly Point[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}): void {
  const { metrics, params, tags } = batch;
  checkCount('metrics', metrics.length, LIMITS.batchMetrics);
  checkCount('params', params.length, LIMITS.batchParams);
  checkCount('tags', tags.length, LIMITS.batchTags);
  const total = metrics.length + params.length + tags.length;
  checkCount('metrics, params, and tags', total, LIMITS.batchTotal);
  for (const [index, metric] of metrics.entries()) {
    checkKey(metric.key, `metrics[${index}].name`);
    if (metric.timestampMs < 0) {
      throw invalidValue(
        `metrics[${index}].timestamp`,
        metric.timestampMs,
        `metric '${metric.key}'. Timestamp must be a nonnegative long (64-bit integer)`,
      );
    }
    checkLength(metric.datasetName ?? '', 'dataset_name', LIMITS.datasetName);
    checkLength(metric.datasetDigest ?? '', 'dataset_digest', LIMITS.datasetDigest);
  }
  for (const [index, { key }] of params.entries()) checkKey(key, `params[${index}].key`);
  const keys = params.map((param) => param.key);
  const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
  if (twice.length === 0) return;
  throw invalid(
    `Duplicate parameter keys have been submitted: ${twice.join(', ')}. Please ensure the ` +
      'request contains only one param value per param key.',
  );
}

function checkCount(what: string, count: number, limit: number): void {
  if (count <= limit) return;
  throw invalid(
    `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please ` +
      `split up ${what} across multiple requests and try again.`,
  );
}
