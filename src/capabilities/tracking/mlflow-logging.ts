import { Readable } from 'node:stream';
import { z } from 'zod';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import { Double, Int64, KeyValue, repeated, Text } from '../../formats/mlflow/scalars.ts';
import { mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import type { Point } from './metrics-store.ts';
import { AboutRun, runOf } from './mlflow-runs.ts';
import { list, writePoint } from './mlflow-wire.ts';
import type { PointsRow } from './rows.ts';
import { toRunId } from './runs.ts';
import { mlflowRunId } from './runs-store.ts';
import type { TrackingService } from './service.ts';

const PATH = '2.0/mlflow';
/** Points of one page of a history. */
const HISTORY_PAGE_MAX = 25_000;

const Metric = z.object({
  key: Text,
  value: Double,
  timestamp: Int64,
  step: Int64.default(0),
  model_id: Text.optional(),
  dataset_name: Text.optional(),
  dataset_digest: Text.optional(),
});

const History = AboutRun.extend({
  metric_key: Text,
  page_token: Text.optional(),
  max_results: Int64.pipe(z.number().int().min(0)).optional(),
});

const Interval = z.object({
  run_ids: repeated(Text),
  metric_key: Text,
  start_step: Int64.optional(),
  end_step: Int64.optional(),
  max_results: Int64.default(320),
});

const After = z.object({
  step: z.number(),
  timestamp_ms: z.number(),
  value: z.number(),
  is_nan: z.number(),
});

export function loggingCalls(service: TrackingService): readonly MlflowCall[] {
  const { logging } = service;
  const none = { metrics: [], params: [], tags: [] };
  return [
    mlflowCall('POST', `${PATH}/runs/log-metric`, AboutRun.extend(Metric.shape), (message) =>
      logging.log(runOf(message), { ...none, metrics: [readPoint(message)] }),
    ),
    mlflowCall('POST', `${PATH}/runs/log-parameter`, AboutRun.extend(KeyValue.shape), (message) =>
      logging.log(runOf(message), {
        ...none,
        params: [{ key: message.key, value: message.value }],
      }),
    ),
    mlflowCall(
      'POST',
      `${PATH}/runs/log-batch`,
      AboutRun.extend({
        metrics: repeated(Metric),
        params: repeated(KeyValue),
        tags: repeated(KeyValue),
      }),
      (message) =>
        logging.log(runOf(message), {
          metrics: message.metrics.map(readPoint),
          params: message.params,
          tags: message.tags,
        }),
    ),
    mlflowCall('GET', `${PATH}/metrics/get-history`, History, (message) =>
      history(service, message),
    ),
    mlflowCall('GET', `${PATH}/metrics/get-history-bulk-interval`, Interval, async (message) => {
      const curves = await logging.interval({
        ids: message.run_ids.map(toRunId),
        key: message.metric_key,
        from: message.start_step ?? null,
        to: message.end_step ?? null,
        perRun: message.max_results,
      });
      const points = curves.flatMap(({ id, points: own }) =>
        own.map((point) => ({
          ...writePoint(message.metric_key, point),
          run_id: mlflowRunId(id),
        })),
      );
      return list('metrics', points);
    }),
  ];
}

function readPoint(message: z.output<typeof Metric>): Point {
  return {
    key: message.key,
    value: message.value,
    timestampMs: message.timestamp,
    step: message.step,
    modelId: message.model_id || null,
    datasetName: message.dataset_name || null,
    datasetDigest: message.dataset_digest || null,
  };
}

/** A page when the client asked for one, else the whole history. */
async function history(
  { logging }: TrackingService,
  message: z.output<typeof History>,
): Promise<unknown> {
  const id = runOf(message);
  const key = message.metric_key;
  const wanted = message.max_results ?? 0;
  if (wanted === 0) {
    const pages = logging.wholeHistory(id, key);
    const first = await pages.next();
    return Readable.from(writeHistory(key, first.value ?? [], pages), { objectMode: false });
  }
  const limit = Math.min(wanted, HISTORY_PAGE_MAX);
  const after = decodeToken(message.page_token, After);
  const points = await logging.history({ id, key, after, limit: limit + 1 });
  const last = points[limit - 1];
  const token = points.length > limit && last !== undefined ? encodeToken(After.parse(last)) : null;
  return {
    ...list(
      'metrics',
      points.slice(0, limit).map((point) => writePoint(key, point)),
    ),
    ...(token === null ? {} : { next_page_token: token }),
  };
}

async function* writeHistory(
  key: string,
  first: readonly PointsRow[],
  rest: AsyncGenerator<readonly PointsRow[]>,
): AsyncGenerator<string> {
  let before = '{"metrics":[';
  const write = (points: readonly PointsRow[]): string => {
    if (points.length === 0) return '';
    const text = before + points.map((point) => JSON.stringify(writePoint(key, point))).join(',');
    before = ',';
    return text;
  };
  yield write(first);
  for await (const points of rest) yield write(points);
  yield before === ',' ? ']}' : '{}';
}
