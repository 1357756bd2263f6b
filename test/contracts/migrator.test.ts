import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { micros } from '../../src/base/time.ts';
import { columnTypes, createTable } from '../../src/platform/db/dialect.ts';
import { rawQuery } from '../../src/platform/db/kysely-builder.ts';
import { migrate, type Migration } from '../../src/platform/db/migrator.ts';
import { migrations as released } from '../../src/platform/db/migrations/index.ts';
import type { Db } from '../../src/platform/db/port.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { eachDatabase } from '../dialects.ts';

const log = silentLog;
const clock = { wall: () => micros(1_700_000_000_000_000) };

const first = tableMigration('0001-first', 'a');
const second = tableMigration('0002-second', 'b');
const broken: Migration = {
  name: '0002-broken',
  up: (queries, dialect) => [
    ...second.up(queries, dialect),
    rawQuery(queries, sql`insert into nowhere (n) values (1)`),
  ],
};

eachDatabase((_dialect, open) => {
  const empty = () => open({ migrated: false });

  describe('migrating', () => {
    it('applies what is missing, in order, and records when', async () => {
      const db = await empty();
      expect(await migrate({ db, migrations: [first], clock, log })).toEqual(['0001-first']);
      expect(await migrate({ db, migrations: [first, second], clock, log })).toEqual([
        '0002-second',
      ]);
      expect(await migrate({ db, migrations: [first, second], clock, log })).toEqual([]);
      expect(await recorded(db)).toEqual([
        { name: '0001-first', applied_at: 1_700_000_000_000_000 },
        { name: '0002-second', applied_at: 1_700_000_000_000_000 },
      ]);
    });

    it('refuses a database that a newer program has changed', async () => {
      const db = await empty();
      await migrate({ db, migrations: [first, second], clock, log });
      await expect(migrate({ db, migrations: [first], clock, log })).rejects.toMatchObject({
        code: 'STATE_NEWER',
        details: { unknown: ['0002-second'] },
      });
    });

    it('leaves nothing of a migration that fails', async () => {
      const db = await empty();
      await expect(migrate({ db, migrations: [first, broken], clock, log })).rejects.toThrow(
        /insert into nowhere/,
      );
      expect(await migrate({ db, migrations: [first, second], clock, log })).toEqual([
        '0002-second',
      ]);
    });

    it('applies each migration once when two processes start together', async () => {
      const db = await empty();
      const both = await Promise.all(
        [1, 2].map(() => migrate({ db, migrations: [first, second], clock, log })),
      );
      expect(both.flat().sort()).toEqual(['0001-first', '0002-second']);
    });

    it('asks for a backup before it changes a database with content, and only then', async () => {
      const db = await empty();
      const asked: string[] = [];
      const beforeUpgrade = (from: string) => {
        asked.push(from);
        return Promise.resolve();
      };
      await migrate({ db, migrations: [first], clock, log, beforeUpgrade });
      await migrate({ db, migrations: [first], clock, log, beforeUpgrade });
      expect(asked).toEqual([]);
      await migrate({ db, migrations: [first, second], clock, log, beforeUpgrade });
      expect(asked).toEqual(['0001-first']);
    });

    it('applies the released migrations to an empty database', async () => {
      const db = await open();
      expect((await recorded(db)).map((row) => row.name)).toEqual(released.map((m) => m.name));
    });
  });
});

function tableMigration(name: string, table: string): Migration {
  return {
    name,
    up: (queries, dialect) => [
      createTable(queries, dialect, table).addColumn('n', columnTypes(dialect).integer),
    ],
  };
}

async function recorded(db: Db): Promise<readonly { name: string; applied_at: number }[]> {
  const queries = db.queries<{ migrations: { name: string; applied_at: number } }>();
  return db.read(queries.selectFrom('migrations').selectAll().orderBy('name'));
}
