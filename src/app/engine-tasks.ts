import { totalmem } from 'node:os';
import path from 'node:path';
import { pipelineTasks } from '../capabilities/pipelines/tasks.ts';
import { onlineFeaturesTasks } from '../capabilities/features/online-tasks.ts';
import { featuresTasks } from '../capabilities/features/tasks.ts';
import { compareTasks } from '../capabilities/monitoring/compare-tasks.ts';
import type { CompareDeps } from '../capabilities/monitoring/compare-versions.ts';
import { SummaryFiles } from '../capabilities/monitoring/summary-files.ts';
import { monitoringTasks } from '../capabilities/monitoring/tasks.ts';
import { LabelledRequestReader } from '../capabilities/predictions/labelled-requests.ts';
import { scoreOf } from '../capabilities/predictions/score-of.ts';
import { predictionTasks } from '../capabilities/predictions/tasks.ts';
import { sqlTasks } from '../capabilities/sql/tasks.ts';
import { DeltaTables } from '../capabilities/tables/delta-tables.ts';
import { tablesTasks } from '../capabilities/tables/tasks.ts';
import type { Clock } from '../base/time.ts';
import type { TaskHandlers, TaskMap } from '../platform/engine/port.ts';
import type { Faults } from '../platform/fault-points.ts';
import type { KvWriter } from '../platform/kv/port.ts';
import type { Log } from '../platform/log/log.ts';
import type { StateFolder } from '../platform/state/state-folder.ts';
import { createIds, processEnv } from '../platform/system.ts';

const MEMORY_BYTES_MAX = 4 * 1024 ** 3;
const MEMORY_SHARE = 0.25;

/** Everything the engine can do, on the folders it works in; loads the native modules. */
export async function openEngineTasks(options: {
  readonly folder: StateFolder;
  readonly index: KvWriter;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly log: Log;
}): Promise<{ readonly handlers: TaskHandlers<TaskMap>; close(): Promise<void> }> {
  const { folder, index, clock, faults, log } = options;
  const { openDuckDb } = await import('../platform/analytics/duckdb.ts');
  const { ProcessSandbox } = await import('../platform/analytics/sql-sandbox.ts');
  const ids = createIds(clock);
  const analytics = await openDuckDb({
    folders: [folder.lake, folder.temporary],
    temporaryFolder: path.join(folder.temporary, 'duckdb'),
    memoryLimitBytes: Math.min(MEMORY_BYTES_MAX, totalmem() * MEMORY_SHARE),
    threads: 1,
    ids,
  });
  const tables = new DeltaTables({ lakeFolder: folder.lake, analytics, clock, ids, log, faults });
  const sandbox = new ProcessSandbox({ folder: path.join(folder.temporary, 'sql'), ids });
  const reader = new LabelledRequestReader({ tables, analytics });
  const scoring: CompareDeps = {
    tables,
    analytics,
    readRows: (request, signal) => reader.read(request, signal),
    openModel: async (file) => {
      const { OnnxSession } = await import('../platform/inference/onnx-session.ts');
      return OnnxSession.open(file);
    },
    scoreOf,
  };
  const handlers = {
    ...tablesTasks({ tables, analytics }),
    ...sqlTasks({ tables, sandbox, memoryBytesMax: totalmem() * MEMORY_SHARE }),
    ...featuresTasks({ tables, analytics, faults }),
    ...onlineFeaturesTasks({ tables, analytics, kv: index, clock, faults }),
    ...predictionTasks({ tables, analytics, index, faults, clock }),
    ...monitoringTasks({ ...scoring, files: new SummaryFiles(folder.monitoring) }),
    ...compareTasks(scoring),
    ...pipelineTasks({ folder, clock, faults, env: processEnv }),
  } as unknown as TaskHandlers<TaskMap>;
  return {
    handlers,
    close: async () => {
      await index.close();
      await analytics.close();
    },
  };
}
