import * as fc from 'fast-check';
import { sql, type Generated, type Kysely } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/base/errors.ts';
import { columnTypes, createTable, numberedKey } from '../../src/platform/db/dialect.ts';
import { rawQuery } from '../../src/platform/db/kysely-builder.ts';
import type { Db, Step } from '../../src/platform/db/port.ts';
import { eachDatabase, type OpenDatabase } from '../dialects.ts';

interface Tables {
  items: { id: string; n: number; label: string | null; bytes: Uint8Array | null };
  parts: { part: string; item: string };
  numbered: { seq: Generated<number>; at: number };
}

eachDatabase((dialect, open) => {
  let db: Db;
  let q: Kysely<Tables>;

  beforeAll(async () => {
    db = await openWithTables(open);
    q = db.queries();
  });

  const insert = (id: string, n = 1): Step => ({
    query: q.insertInto('items').values({ id, n, label: null, bytes: null }),
  });
  const ids = async (prefix: string) => {
    const rows = q.selectFrom('items').select('id').where('id', 'like', `${prefix}%`).orderBy('id');
    return (await db.read(rows)).map((row) => row.id);
  };

  describe('transactions', () => {
    it('keeps all steps or none', async () => {
      await db.write([insert('all-1'), insert('all-2')]);
      const failing = db.write([insert('none-1'), insert('all-1')]);
      await expect(failing).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await ids('all-')).toEqual(['all-1', 'all-2']);
      expect(await ids('none-')).toEqual([]);
    });

    it('rolls back with the expectation’s own error when a step misses its rows', async () => {
      await db.write([insert('expected')]);
      const update = q.updateTable('items').set({ n: 2 }).where('id', '=', 'absent');
      const otherwise = new AppError('STALE_REVISION', 'It has moved on.');
      const steps: Step[] = [insert('not-kept'), { query: update, expect: { rows: 1, otherwise } }];
      await expect(db.write(steps)).rejects.toBe(otherwise);
      expect(await ids('not-kept')).toEqual([]);
    });

    it('tells what each step changed and returned', async () => {
      const results = await db.write([
        insert('told-1', 5),
        insert('told-2', 6),
        { query: q.updateTable('items').set({ n: 7 }).where('id', 'like', 'told-%') },
        { query: q.deleteFrom('items').where('id', 'like', 'told-%').returning(['id', 'n']) },
        { query: q.selectFrom('items').select('id').where('id', 'like', 'told-%') },
      ]);
      expect(results.map((result) => result.changes)).toEqual([1, 1, 2, 2, 0]);
      const deleted = results[3]?.rows.toSorted((a, b) => String(a.id).localeCompare(String(b.id)));
      expect(deleted).toEqual([
        { id: 'told-1', n: 7 },
        { id: 'told-2', n: 7 },
      ]);
    });

    it('does not let one failing transaction touch its neighbours in the same group', async () => {
      await db.write([insert('taken')]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) =>
          db.write([insert(`group-${index}`), insert(index % 3 === 0 ? 'taken' : `twin-${index}`)]),
        ),
      );
      const kept = outcomes.flatMap((outcome, index) =>
        outcome.status === 'fulfilled' ? [`group-${index}`] : [],
      );
      expect(kept).toHaveLength(26);
      expect(new Set(await ids('group-'))).toEqual(new Set(kept));
    });

    it('runs decisions written as statements one after the other', async () => {
      const next = rawQuery(
        q,
        sql<{ n: number }>`insert into items (id, n)
          select 'count-' || cast(coalesce(max(n), 0) + 1 as text), coalesce(max(n), 0) + 1
          from items where id like 'count-%' returning n`,
      );
      const results = await Promise.all(
        Array.from({ length: 40 }, () => db.write([{ query: next }])),
      );
      const numbers = results.map(([result]) => Number(result?.rows[0]?.n)).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    });

    it('lets transactions that take rows in opposite orders both succeed', async () => {
      await db.write([insert('left'), insert('right')]);
      const touch = (id: string): Step => ({
        query: q
          .updateTable('items')
          .set((row) => ({ n: row('n', '+', 1) }))
          .where('id', '=', id),
      });
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          db.write(
            index % 2 === 0 ? [touch('left'), touch('right')] : [touch('right'), touch('left')],
          ),
        ),
      );
      const rows = await db.read(
        q.selectFrom('items').select('n').where('id', 'in', ['left', 'right']),
      );
      expect(rows).toEqual([{ n: 21 }, { n: 21 }]);
    });

    it('shows a read every write acknowledged before it', async () => {
      for (let n = 0; n < 50; n += 1) {
        await db.write([insert(`seen-${n}`)]);
        expect(await ids(`seen-${n}`)).toContain(`seen-${n}`);
      }
    });

    it('tells listeners of each acknowledged write, and of no failed one', async () => {
      const heard: number[] = [];
      const stop = db.onCommit((steps, results) => {
        heard.push(steps.length, results.length);
      });
      await db.write([insert('heard-1'), insert('heard-2')]);
      await expect(db.write([insert('heard-1')])).rejects.toThrow(AppError);
      stop();
      await db.write([insert('heard-3')]);
      expect(heard).toEqual([2, 2]);
    });
  });

  describe('constraints', () => {
    it.each([
      ['unique', 'items.id', () => insert('twice')],
      ['unique', 'parts.item, parts.part', () => part('screw', 'twice')],
      ['unique', 'items_label_lower', () => labelled('b', 'LABEL')],
      ['foreign-key', 'foreign key', () => part('screw', 'nowhere')],
      ['check', 'items_n', () => insert('negative', -1)],
      ['not-null', 'items.n', () => ({ query: without(q) })],
    ])('names a violated %s constraint: %s', async (kind, constraint, step) => {
      await db.write(await absent(['twice', 'a'], [insert('twice'), labelled('a', 'label')]));
      await db.write(await absent(['screw'], [part('screw', 'twice')]));
      await expect(db.write([step()])).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { kind, constraint },
      });
    });

    const part = (name: string, item: string): Step => ({
      query: q.insertInto('parts').values({ part: name, item }),
    });
    const labelled = (id: string, label: string): Step => ({
      query: q.insertInto('items').values({ id, n: 1, label, bytes: null }),
    });
    const absent = async (known: readonly string[], steps: readonly Step[]) => {
      const parts = await db.read(q.selectFrom('parts').select('part as id'));
      const all = new Set([...(await ids('')), ...parts.map((row) => row.id)]);
      return known.some((id) => all.has(id)) ? [] : steps;
    };
  });

  describe('values', () => {
    it('returns any storable value as it was given', async () => {
      const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));
      const values = fc.record({
        id: text.map((id) => `value-${id}`),
        n: fc.maxSafeInteger().map(Math.abs),
        label: fc.option(text),
        bytes: fc.option(fc.uint8Array({ maxLength: 64 })),
      });
      await fc.assert(
        fc.asyncProperty(values, async (row) => {
          await db.write([{ query: q.deleteFrom('items').where('id', 'like', 'value-%') }]);
          await db.write([{ query: q.insertInto('items').values(row) }]);
          const found = await db.read(q.selectFrom('items').selectAll().where('id', '=', row.id));
          expect(found).toEqual([row]);
        }),
        { numRuns: 60 },
      );
    });

    it('reads integers beyond the exact range as text, truth values as 0 or 1', async () => {
      const [row] = await db.read(
        rawQuery(
          q,
          sql`select cast('9007199254740993' as ${columnTypes(dialect).integer}) as big,
            cast(sum(7) as ${columnTypes(dialect).integer}) as total, 1 = 1 as yes, 1 = 2 as no`,
        ),
      );
      expect(row).toEqual({ big: '9007199254740993', total: 7, yes: 1, no: 0 });
    });

    it('returns numbers of sums and averages', async () => {
      await db.write([insert('sum-1', 3), insert('sum-2', 4)]);
      const [row] = await db.read(
        rawQuery(q, sql`select sum(n) as s, avg(n) as a from items where id like 'sum-%'`),
      );
      expect(row).toEqual({ s: 7, a: 3.5 });
    });

    it('refuses text with a NUL, and says so to the user', async () => {
      await expect(db.write([insert('nul-\0')])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    });

    it('refuses NaN and objects as our own bug', async () => {
      await expect(db.write([insert('nan', Number.NaN)])).rejects.toThrow('bug in Millwright');
      const object = { in: 'text' } as unknown as string;
      await expect(db.write([insert(object)])).rejects.toThrow('bug in Millwright');
    });

    it('refuses a value of another type than its column', async () => {
      const wrong = 'seven' as unknown as number;
      await expect(db.write([insert('typed', wrong)])).rejects.toThrow(/insert into "items"/);
      expect(await ids('typed')).toEqual([]);
    });

    it('sorts text by its bytes and matches it by case', async () => {
      await db.write(['b', 'A', 'a', 'B', 'é'].map((letter) => insert(`sort-${letter}`)));
      expect(await ids('sort-')).toEqual(['sort-A', 'sort-B', 'sort-a', 'sort-b', 'sort-é']);
      expect(await ids('SORT-')).toEqual([]);
    });

    it('numbers rows upwards and never reuses a number', async () => {
      const add = {
        query: q.insertInto('numbered').values({ at: 1 }).returning('seq'),
      };
      const first = await db.write([add, add]);
      await db.write([{ query: q.deleteFrom('numbered') }]);
      const second = await db.write([add]);
      const numbers = [...first, ...second].map((result) => Number(result.rows[0]?.seq));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size).toBe(3);
    });
  });

  describe('life', () => {
    it('finishes the writes under way when it closes, then refuses calls', async () => {
      const closing = await openWithTables(open);
      const queries = closing.queries<Tables>();
      const values = { n: 1, label: null, bytes: null };
      const under = Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          closing.write([
            { query: queries.insertInto('items').values({ id: `w${index}`, ...values }) },
          ]),
        ),
      );
      await closing.close();
      expect(await under).toHaveLength(30);
      const late = closing.read(queries.selectFrom('items').selectAll());
      await expect(late).rejects.toMatchObject({ code: 'STOPPING' });
    });

    it('only compiles: its builder refuses to execute', async () => {
      const query = q.selectFrom('items').selectAll();
      await expect(query.execute()).rejects.toThrow('only compiles');
    });
  });
});

async function openWithTables(open: OpenDatabase): Promise<Db> {
  const db = await open({ migrated: false });
  const q = db.queries<unknown>();
  const type = columnTypes(db.dialect);
  await db.write(
    [
      createTable(q, db.dialect, 'items')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('n', type.integer, (column) => column.notNull())
        .addColumn('label', type.text)
        .addColumn('bytes', type.bytes)
        .addCheckConstraint('items_n', sql`n >= 0`),
      rawQuery(q, sql`create unique index items_label_lower on items (lower(label))`),
      createTable(q, db.dialect, 'parts')
        .addColumn('part', type.text)
        .addColumn('item', type.text, (column) => column.references('items.id'))
        .addUniqueConstraint('parts_once', ['item', 'part']),
      createTable(q, db.dialect, 'numbered')
        .addColumn('seq', type.integer, numberedKey(db.dialect))
        .addColumn('at', type.integer, (column) => column.notNull()),
    ].map((query) => ({ query })),
  );
  return db;
}

function without(q: Kysely<Tables>) {
  return rawQuery(q, sql`insert into items (id) values ('without')`);
}
