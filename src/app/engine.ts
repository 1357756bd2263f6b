import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import path from 'node:path';
import { serveTasks } from '../platform/engine/server.ts';
import { bootId } from '../platform/exec/process-identity.ts';
import { faultsFromEnv } from '../platform/fault-points.ts';
import type { MapWriter } from '../platform/kv/lmdb.ts';
import { createLog } from '../platform/log/log.ts';
import { tryLockFile, type FileLock } from '../platform/state/file-lock.ts';
import { stateFolder } from '../platform/state/state-folder.ts';
import { processEnv, sleep, systemClock } from '../platform/system.ts';

/** The engine process: everything heavy over data, for the main process that started it. */

/** The gateway comes first when both want a core. */
const NICENESS = 10;
const LOCK_RETRY_MS = 20;
/** The socket pair that main opened as the fourth standard stream. */
const SOCKET_FD = 3;

const folder = stateFolder(process.argv[2]!);
/** Held until the process ends; unreferenced it would be collected, and with it the lock. */
const held: FileLock[] = [];
/** Put on disk when main stops in order. */
const online: MapWriter[] = [];

/** A former engine may still be dying: two must not write at once. */
async function lockEngine(): Promise<FileLock> {
  for (;;) {
    const lock = tryLockFile(path.join(folder.root, 'engine.lock'));
    if (lock !== null) return lock;
    await sleep(LOCK_RETRY_MS);
  }
}

setPriority(NICENESS);
// Ctrl-C reaches the whole process group; main decides when the engine stops.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
serveTasks({
  socket: new Socket({ fd: SOCKET_FD }),
  load: async () => {
    if (held.length === 0) held.push(await lockEngine());
    // With the first task, so that an engine without work stays small.
    const { openEngineTasks } = await import('./engine-tasks.ts');
    const { openLmdbWriter } = await import('../platform/kv/lmdb.ts');
    const index = await openLmdbWriter(folder.online, bootId());
    online.push(index);
    const { handlers } = await openEngineTasks({
      folder,
      index,
      clock: systemClock,
      faults: faultsFromEnv(processEnv['MILLWRIGHT_FAULT']),
      log: createLog({ level: 'warn' }).child({ part: 'engine' }),
    });
    return handlers;
  },
  onStop: async () => {
    for (const store of online) await store.rest();
  },
  onClose: () => {
    // Whatever is under way is idempotent and will be asked for again. Not `process.exit`: it waits
    // for what runs in the thread pool, a long query or a write that waits for this very thread.
    process.kill(process.pid, 'SIGKILL');
  },
});
