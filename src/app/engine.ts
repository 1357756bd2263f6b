import { Socket } from 'node:net';
import { setPriority, totalmem } from 'node:os';
import path from 'node:path';
import { predictionTasks } from '../capabilities/predictions/tasks.ts';
import { DeltaTables } from '../capabilities/tables/delta-tables.ts';
import { tablesTasks } from '../capabilities/tables/tasks.ts';
import { openDuckDb } from '../platform/analytics/duckdb.ts';
import type { TaskHandlers, TaskMap } from '../platform/engine/port.ts';
import { serveTasks } from '../platform/engine/server.ts';
import { faultsFromEnv } from '../platform/fault-points.ts';
import { openLmdbWriter } from '../platform/kv/lmdb.ts';
import { createLog } from '../platform/log/log.ts';
import { tryLockFile, type FileLock } from '../platform/state/file-lock.ts';
import { stateFolder, type StateFolder } from '../platform/state/state-folder.ts';
import { createIds, processEnv, sleep, systemClock } from '../platform/system.ts';

/** The engine process: everything heavy over data, for the main process that started it. */

/** The gateway comes first when both want a core. */
const NICENESS = 10;
const MEMORY_BYTES_MAX = 4 * 1024 ** 3;
const MEMORY_SHARE = 0.25;
const LOCK_RETRY_MS = 20;
/** The socket pair that main opened as the fourth standard stream. */
const SOCKET_FD = 3;

const log = createLog({ level: 'warn' }).child({ part: 'engine' });
const folder = stateFolder(process.argv[2]!);
/** Held until the process ends; unreferenced it would be collected, and with it the lock. */
const held: FileLock[] = [];

/** A former engine may still be dying: two must not write at once. */
async function lockEngine(): Promise<FileLock> {
  for (;;) {
    const lock = tryLockFile(path.join(folder.root, 'engine.lock'));
    if (lock !== null) return lock;
    await sleep(LOCK_RETRY_MS);
  }
}

async function load(of: StateFolder): Promise<TaskHandlers<TaskMap>> {
  held.push(await lockEngine());
  const ids = createIds(systemClock);
  const analytics = await openDuckDb({
    folders: [of.lake, of.temporary],
    temporaryFolder: path.join(of.temporary, 'duckdb'),
    memoryLimitBytes: Math.min(MEMORY_BYTES_MAX, totalmem() * MEMORY_SHARE),
    threads: 1,
    ids,
  });
  const tables = new DeltaTables({ lakeFolder: of.lake, analytics, clock: systemClock, ids, log });
  const index = await openLmdbWriter(of.online);
  const faults = faultsFromEnv(processEnv['MILLWRIGHT_FAULT']);
  return {
    ...tablesTasks({ tables }),
    ...predictionTasks({ tables, index, faults }),
  } as unknown as TaskHandlers<TaskMap>;
}

setPriority(NICENESS);
const end = (): void => {
  // Whatever is under way is idempotent and will be asked for again.
  process.exit(0);
};
// Ctrl-C reaches the whole process group; main decides when the engine stops.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
serveTasks({
  socket: new Socket({ fd: SOCKET_FD }),
  load: () => load(folder),
  onStop: async () => undefined,
  onClose: end,
});
