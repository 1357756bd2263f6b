import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, inject, onTestFinished } from 'vitest';
import { migrate } from '../src/platform/db/migrator.ts';
import { migrations } from '../src/platform/db/migrations/index.ts';
import type { Db, Dialect } from '../src/platform/db/port.ts';
import { openPostgres } from '../src/platform/db/postgres.ts';
import { openSqlite } from '../src/platform/db/sqlite.ts';
import { silentLog } from '../src/platform/log/log.ts';
import { randomToken, systemClock } from '../src/platform/system.ts';
import { createDatabase } from './postgres.ts';

export interface OpenOptions {
  /** False gives a database without any table. */
  readonly migrated?: boolean;
}

/** Opens a new database of its own, with every table; it closes with its test, hook or suite. */
export type OpenDatabase = (options?: OpenOptions) => Promise<Db>;

/** Runs the same suite on SQLite and on PostgreSQL; every store's suite is wrapped in it. */
export function eachDatabase(define: (dialect: Dialect, open: OpenDatabase) => void): void {
  describe('on SQLite', () => {
    define('sqlite', opener(sqliteSource()));
  });
  describe('on PostgreSQL', () => {
    define('postgres', opener(postgresSource()));
  });
}

interface Source {
  open(): Promise<Db>;
  remove(): void;
}

function opener(source: Source): OpenDatabase {
  const leftOpen: Db[] = [];
  afterAll(async () => {
    for (const db of leftOpen) await db.close();
    source.remove();
  });
  return async ({ migrated = true } = {}) => {
    const db = await source.open();
    closeLater(db, leftOpen);
    if (migrated) await migrate({ db, migrations, clock: systemClock, log: silentLog });
    return db;
  };
}

/** At the end of the test that opened it; what a hook of the suite opened stays for the suite. */
function closeLater(db: Db, leftOpen: Db[]): void {
  try {
    onTestFinished(() => db.close());
  } catch {
    leftOpen.push(db);
  }
}

function sqliteSource(): Source {
  const folder = mkdtempSync(path.join(tmpdir(), 'millwright-db-'));
  let count = 0;
  return {
    open: () => {
      count += 1;
      return openSqlite({ file: path.join(folder, `${count}.db`), log: silentLog });
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One database for the suite, one schema for every opening. */
function postgresSource(): Source {
  let creating: Promise<string> | null = null;
  let count = 0;
  return {
    open: async () => {
      creating ??= createDatabase(inject('postgresFolder'), `t_${randomToken(8)}`);
      count += 1;
      return openPostgres({ url: await creating, schema: `w${count}`, log: silentLog });
    },
    remove: () => undefined,
  };
}
