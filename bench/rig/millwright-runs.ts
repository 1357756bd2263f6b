import { join } from 'node:path';
import { MetricsStore } from '../../src/capabilities/tracking/metrics-store.ts';
import type { TrackingTables } from '../../src/capabilities/tracking/rows.ts';
import { RunsStore } from '../../src/capabilities/tracking/runs-store.ts';
import { AppError } from '../../src/base/errors.ts';
import { micros, MICROS_PER_MS } from '../../src/base/time.ts';
import { openSqlite } from '../../src/platform/db/sqlite.ts';
import type { Db } from '../../src/platform/db/port.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { manyRun, USER, type ManyRun } from './many-runs.ts';

/** Runs that go into the database at once: they share their commits. */
const AT_ONCE = 500;

/**
 * Puts the runs into the database of a stopped Millwright, with the stores of its own: over HTTP a
 * hundred thousand runs take minutes.
 */
export async function loadMillwrightRuns(stateFolder: string, count: number): Promise<void> {
  const db = await openSqlite({ file: join(stateFolder, 'metadata.db'), log: silentLog });
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const size = Math.min(AT_ONCE, count - from);
      await loadSome(
        db,
        Array.from({ length: size }, (_, index) => manyRun(from + index)),
      );
    }
  } finally {
    await db.close();
  }
}

async function loadSome(db: Db, runs: readonly ManyRun[]): Promise<void> {
  const [store, metrics] = [new RunsStore(db), new MetricsStore(db)];
  await Promise.all(runs.map((run) => store.insert(runRow(run), pairs('tag', run.tags), [])));
  const rows = await db.read(
    db
      .queries<TrackingTables>()
      .selectFrom('tracking_runs')
      .select(['seq', 'id'])
      .where('id', 'in', runs.map(rowId)),
  );
  const numbers = new Map(rows.map(({ id, seq }) => [id, seq]));
  const unchanged = new AppError('PARAM_CHANGED', 'a new run has no parameters');
  await store.write(
    runs.flatMap((run) => {
      const key = { id: rowId(run), seq: numbers.get(rowId(run))!, experiment: 0 };
      return [
        ...metrics.pointSteps(key, pointsOf(run)),
        ...metrics.paramSteps(key, pairs('param', run.params), unchanged),
      ];
    }),
  );
}

function rowId({ id }: ManyRun): string {
  return `run_${id}`;
}

function runRow(run: ManyRun) {
  return {
    id: rowId(run),
    experiment: 0,
    name: run.name,
    user_id: USER,
    status: 'FINISHED' as const,
    start_ms: run.startMs,
    end_ms: run.startMs + 500,
    lifecycle: 'active' as const,
    artifact_uri: `mlflow-artifacts:/0/${run.id}/artifacts`,
    created_at: micros(run.startMs * MICROS_PER_MS),
  };
}

function pointsOf(run: ManyRun) {
  return run.metrics.map((value, at) => ({
    key: `metric-${at}`,
    value,
    timestampMs: run.startMs,
    step: 0,
    modelId: null,
    datasetName: null,
    datasetDigest: null,
  }));
}

function pairs(kind: string, values: readonly string[]) {
  return values.map((value, at) => ({ key: `${kind}-${at}`, value }));
}
