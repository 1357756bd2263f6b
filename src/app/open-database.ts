import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/time.ts';
import type { Config } from '../platform/config/config.ts';
import type { Db } from '../platform/db/port.ts';
import type { Log } from '../platform/log/log.ts';
import type { StateFolder } from '../platform/state/state-folder.ts';

/** The metadata database the configuration names, and how to copy it before it is changed. */
export async function openDatabase(options: {
  readonly config: Config;
  readonly folder: StateFolder;
  readonly log: Log;
  readonly clock: Pick<Clock, 'wall'>;
}): Promise<{ readonly db: Db; readonly backup: () => Promise<void> }> {
  const { config, folder, log, clock } = options;
  if (config.databaseUrl !== null) {
    const { openPostgres } = await import('../platform/db/postgres.ts');
    const db = await openPostgres({ url: config.databaseUrl, log });
    // A PostgreSQL server has backups of its own.
    return { db, backup: async () => undefined };
  }
  const { openSqlite } = await import('../platform/db/sqlite.ts');
  const db = await openSqlite({ file: folder.database, readers: 2, log });
  return {
    db,
    backup: async () => {
      await mkdir(folder.backups, { recursive: true });
      const copy = path.join(folder.backups, `metadata-${clock.wall()}.db`);
      await db.backup(copy);
      log.info('state.backed-up', { file: copy });
    },
  };
}
