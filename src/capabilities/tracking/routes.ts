import { AppError } from '../../base/errors.ts';
import { decodeCursor, nextPage } from '../../base/cursor.ts';
import { formatInstant, micros, MICROS_PER_MS } from '../../base/time.ts';
import { readArtifactPath } from '../../formats/mlflow/artifact-path.ts';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { EXPERIMENTS, RUNS, RUNS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { artifactPathOf } from '../../formats/mlflow/uri.ts';
import { encodeCursor } from '../../base/cursor.ts';
import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  getRun,
  listArtifacts,
  listExperiments,
  listRuns,
  metricHistory,
  type ArtifactEntry,
  type Run,
  type RunSummary,
} from './contract.ts';
import { experimentNumber, toExperiment } from './experiments.ts';
import { ownPath } from './mlflow-artifacts.ts';
import { parsePins } from './pins.ts';
import type { ArtifactsRow, PointsRow } from './rows.ts';
import type { FullRun } from './run-values-store.ts';
import type { TrackingService } from './service.ts';

/** Entries of the artifact folder that a run's own page shows. */
const ARTIFACTS_SHOWN = 100;

export function trackingRoutes(service: TrackingService): readonly MountedRoute[] {
  const { experiments, runs, logging, artifacts } = service;
  return [
    mount(listExperiments, async ({ query }) => {
      const offset = decodeCursor(query.cursor, 'number') ?? 0;
      const found = await experiments.search({
        clauses: parseFilter(undefined, EXPERIMENTS),
        orders: [],
        view: 'ACTIVE_ONLY',
        offset,
        limit: query.limit + 1,
      });
      return nextPage(found.map(toExperiment), query.limit, () => offset + query.limit);
    }),
    mount(listRuns, async ({ query }) => {
      const [segment, offset] = readPlace(decodeCursor(query.cursor, 'string'));
      const { runs: found, next } = await runs.page({
        experiments: query.experiment === undefined ? null : [experimentNumber(query.experiment)],
        view: 'ACTIVE_ONLY',
        clauses: parseFilter(query.filter, RUNS),
        orders: parseOrderBy(query.order === undefined ? [] : [query.order], RUNS_ORDER),
        from: { segment, offset },
        limit: query.limit,
      });
      const nextCursor = next === null ? null : encodeCursor(`${next.segment}:${next.offset}`);
      return { items: found.map(toSummary), nextCursor };
    }),
    mount(getRun, async ({ params }) => detail(service, await runs.get(params.run))),
    mount(metricHistory, async ({ params, query }) => {
      const after = readPoint(decodeCursor(query.cursor, 'string'));
      const limit = query.limit + 1;
      const found = await logging.history({ id: params.run, key: params.key, after, limit });
      const last = found[query.limit - 1];
      const items = found.slice(0, query.limit).map((point) => ({
        value: measured(point),
        step: point.step,
        at: instant(point.timestamp_ms),
        dataset: point.dataset_name,
      }));
      const hasMore = found.length > query.limit && last !== undefined;
      return { items, nextCursor: hasMore ? encodeCursor(writePoint(last)) : null };
    }),
    mount(listArtifacts, async ({ params, query }) => {
      const root = ownPath((await runs.get(params.run)).artifact_uri);
      const folder = readArtifactPath(query.path);
      const after = decodeCursor(query.cursor, 'string');
      const found = await artifacts.list(folder === '' ? root : `${root}/${folder}`, {
        after,
        limit: query.limit + 1,
      });
      const items = found.map((row) => toEntry(folder, row));
      return nextPage(items, query.limit, (last) =>
        last.path.slice(last.path.lastIndexOf('/') + 1),
      );
    }),
  ];
}

async function detail(service: TrackingService, run: FullRun): Promise<Run> {
  const root = artifactPathOf(run.artifact_uri);
  const page = { after: null, limit: ARTIFACTS_SHOWN };
  const artifacts = root === null ? [] : await service.artifacts.list(root, page);
  return {
    ...toSummary(run),
    artifactUri: run.artifact_uri,
    inputs: run.datasets.map((row) => ({
      name: row.name,
      digest: row.digest,
      sourceType: row.source_type,
      source: row.source,
      context: row.context,
    })),
    models: run.models.map(({ direction, model }) => ({ direction, model })),
    artifacts: artifacts.map((row) => toEntry('', row)),
    registeredVersions: [...(await service.versionsOf(run.id))],
    pins: parsePins(run.tags),
  };
}

function toSummary(run: FullRun): RunSummary {
  return {
    id: run.id,
    experiment: String(run.experiment),
    name: run.name,
    user: run.user_id,
    status: run.status,
    startedAt: instant(run.start_ms),
    endedAt: run.end_ms === null ? null : instant(run.end_ms),
    metrics: run.metrics.map((row) => ({
      key: row.key,
      value: measured(row),
      step: row.step,
      at: instant(row.timestamp_ms),
    })),
    params: run.params.map(({ key, value }) => ({ key, value })),
    tags: run.tags.map(({ key, value }) => ({ key, value })),
  };
}

function toEntry(folder: string, row: ArtifactsRow): ArtifactEntry {
  const isFolder = row.digest === null;
  return {
    path: folder === '' ? row.name : `${folder}/${row.name}`,
    isFolder,
    sizeBytes: isFolder ? null : row.size_bytes,
    digest: row.digest,
  };
}

function measured({ value, is_nan }: { readonly value: number; readonly is_nan: number }) {
  return is_nan === 1 ? null : value;
}

/** A client may stamp a metric with anything; what no calendar holds is shown as its end. */
const INSTANT_MS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / MICROS_PER_MS);

function instant(ms: number): string {
  return formatInstant(micros(Math.min(ms, INSTANT_MS_MAX) * MICROS_PER_MS));
}

function readPlace(cursor: string | null): readonly [number, number] {
  if (cursor === null) return [0, 0];
  const [, segment, offset] = /^([0-2]):(\d{1,9})$/.exec(cursor) ?? [];
  if (segment === undefined) throw foreignCursor();
  return [Number(segment), Number(offset)];
}

function writePoint({ step, timestamp_ms, value, is_nan }: PointsRow): string {
  return JSON.stringify([step, timestamp_ms, value, is_nan]);
}

function readPoint(cursor: string | null) {
  if (cursor === null) return null;
  try {
    const [step, timestamp_ms, value, is_nan] = JSON.parse(cursor) as unknown[];
    if ([step, timestamp_ms, value, is_nan].every((part) => typeof part === 'number')) {
      return { step, timestamp_ms, value, is_nan } as PointsRow;
    }
  } catch {
    // Falls through: anything that does not parse is not ours.
  }
  throw foreignCursor();
}

function foreignCursor(): AppError {
  return new AppError('INVALID_INPUT', 'query.cursor: not a cursor of this list', {
    hint: 'Pass the nextCursor of the former page unchanged, or leave it out.',
  });
}
