import { EngineSupervisor } from '../platform/engine/supervisor.ts';
import type { Log } from '../platform/log/log.ts';
import { createIds, entryFile, processEnv, systemClock } from '../platform/system.ts';
import type { Machine } from './open-platform.ts';

/** The real machine: its clock, its randomness, and an engine in a process of its own. */
export function realMachine(log: Log): Machine {
  return {
    clock: systemClock,
    createIds,
    log,
    startEngine: async (folder) => {
      const engine = new EngineSupervisor({
        entry: entryFile(import.meta.url, './engine'),
        args: [folder.root],
        env: processEnv,
        clock: systemClock,
        log: log.child({ part: 'engine' }),
      });
      engine.start();
      const { openLmdbReader } = await import('../platform/kv/lmdb.ts');
      return { engine, index: await openLmdbReader(folder.online) };
    },
  };
}
