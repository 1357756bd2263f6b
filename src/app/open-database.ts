import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { AppError } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { Config } from '../platform/config/config.ts';
import type { Db } from '../platform/db/port.ts';
import type { Log } from '../platform/log/log.ts';
import type { StateFolder } from '../platform/state/state-folder.ts';
import type { Snapshot } from './backup/state-cuts.ts';

export interface OpenedDatabase {
  readonly db: Db;
  /** Copies it before it is changed. */
  readonly backup: () => Promise<void>;
  readonly snapshot: Snapshot;
  /**
   * Makes this process the only one that runs the workspace; `STATE_OWNED` when one does. The
   * result lets go of it.
   */
  readonly own: (workspace: string) => Promise<() => Promise<void>>;
}

/** The metadata database the configuration names. */
export async function openDatabase(options: {
  readonly config: Config;
  readonly folder: StateFolder;
  readonly log: Log;
  readonly clock: Pick<Clock, 'wall'>;
}): Promise<OpenedDatabase> {
  const { config, folder, log, clock } = options;
  if (config.databaseUrl !== null) return openServer(config.databaseUrl, log);
  const { openSqlite } = await import('../platform/db/sqlite.ts');
  const db = await openSqlite({ file: folder.database, readers: 2, log });
  return {
    db,
    // The file lies in the state folder, which `owner.lock` keeps.
    own: async () => async () => undefined,
    snapshot: (file, action) => db.snapshot(file, action),
    backup: async () => {
      await mkdir(folder.backups, { recursive: true });
      const copy = path.join(folder.backups, `metadata-${clock.wall()}.db`);
      await db.backup(copy);
      log.info('state.backed-up', { file: copy });
    },
  };
}

async function openServer(url: string, log: Log): Promise<OpenedDatabase> {
  const { openPostgres } = await import('../platform/db/postgres.ts');
  const { PostgresWorkspaceLock } = await import('../platform/db/postgres-workspace-lock.ts');
  const db = await openPostgres({ url, log });
  return {
    db,
    // A PostgreSQL server has backups of its own.
    backup: async () => undefined,
    snapshot: null,
    own: async (workspace) => {
      const onLost = (error: AppError): void => {
        db.refuse(error);
      };
      const lock = await PostgresWorkspaceLock.take({ url, workspace, onLost, log });
      return () => lock.release();
    },
  };
}
