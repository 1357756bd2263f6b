import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ids, ndjson, openLake, temporaryFolder, type Lake } from '../../../test/contracts/lake.ts';
import { eachDatabase, type OpenDatabase } from '../../../test/dialects.ts';
import { ManualClock } from '../../app/testing.ts';
import { AppError } from '../../base/errors.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Engine } from '../../platform/engine/port.ts';
import { createEvents } from '../../platform/events/events.ts';
import type { Events } from '../../platform/events/port.ts';
import { silentLog } from '../../platform/log/log.ts';
import { APPEND_BYTES_MAX, BATCH_EXPIRY_HOURS } from './contract.ts';
import { TablesService } from './service.ts';
import { TablesStore } from './store.ts';
import { tablesTasks, type TablesTasks } from './tasks.ts';

const REF = { namespace: 'lab', name: 'rows' };
const COLUMNS = [{ name: 'id', type: 'long', nullable: false }] as const;
const HOUR_MS = 3600 * 1000;

/** What happens to the next append: the engine dies before it, after it, or twice is sent. */
type Fault = 'dies-before' | 'dies-after' | 'sent-twice';

class FaultyEngine implements Engine<TablesTasks> {
  fault: Fault | null = null;
  readonly #lake: Lake;

  constructor(lake: Lake) {
    this.#lake = lake;
  }

  async run<Name extends keyof TablesTasks>(
    name: Name,
    input: TablesTasks[Name]['input'],
  ): Promise<TablesTasks[Name]['output']> {
    // Each task as if by a new engine process: nothing but files is left of the former.
    const handle = () => {
      const { analytics } = this.#lake;
      const task = tablesTasks({ tables: this.#lake.another(), analytics })[name];
      return task(structuredClone(input), { signal: new AbortController().signal });
    };
    const fault = name === 'tables.append' ? this.fault : null;
    if (fault === null) return await handle();
    this.fault = null;
    if (fault !== 'dies-before') await handle();
    if (fault === 'sent-twice') return await handle();
    throw new AppError('ENGINE_UNAVAILABLE', 'The engine died.');
  }
}

interface Bench {
  readonly service: TablesService;
  readonly engine: FaultyEngine;
  readonly clock: ManualClock;
  readonly events: Events;
  readonly db: Db;
  /** The service after a restart of the main process. */
  readonly restarted: () => TablesService;
  readonly append: (
    id: number,
    how?: { batch?: string; stream?: string; sequence?: number },
    service?: TablesService,
  ) => ReturnType<TablesService['append']>;
  readonly stored: () => Promise<unknown[]>;
}

async function bench(open: OpenDatabase): Promise<Bench> {
  const lake = await openLake();
  const db = await open();
  const clock = new ManualClock();
  const events = createEvents({ db, clock, log: silentLog });
  const engine = new FaultyEngine(lake);
  const spoolFolder = temporaryFolder();
  const restarted = () =>
    new TablesService({ store: new TablesStore(db), engine, clock, ids, events, spoolFolder });
  const service = restarted();
  return {
    service,
    engine,
    clock,
    events,
    db,
    restarted,
    append: (id, how = {}, by = service) =>
      by.append({ ...REF, ...how, bytes: stream(ndjson({ id })), actor: 'test' }),
    stored: async () => {
      const page = { limit: 1000, offset: 0 };
      const { rows } = await service.rows(REF, page, new AbortController().signal);
      return rows.flat();
    },
  };
}

async function withTable(open: OpenDatabase): Promise<Bench> {
  const made = await bench(open);
  await made.service.create({ ...REF, columns: [...COLUMNS], actor: 'test' });
  return made;
}

async function* stream(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

eachDatabase((dialect, open) => {
  describe('a table', () => {
    test('is created once', async () => {
      const { service, events } = await withTable(open);
      const again = service.create({ ...REF, columns: [...COLUMNS], actor: 'test' });
      await expect(again).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
      const [event] = await events.list({ limit: 5 });
      expect(event).toMatchObject({
        kind: 'table.created',
        subject: 'table/lab.rows',
        actor: 'test',
      });
      expect(await service.get(REF, undefined)).toMatchObject({
        ...REF,
        columns: COLUMNS,
        version: 0,
      });
    });

    test('that a crash left half-made is finished by creating it again', async () => {
      const { service, engine } = await bench(open);
      const other = { name: 'other', type: 'string', nullable: true } as const;
      await engine.run('tables.create', { ...REF, columns: [other] });
      const created = await service.create({ ...REF, columns: [...COLUMNS], actor: 'test' });
      expect(created.columns).toEqual(COLUMNS);
    });

    test('asked for by two at once is made for one', async () => {
      const { service, restarted } = await bench(open);
      const create = (by: TablesService) =>
        by.create({ ...REF, columns: [...COLUMNS], actor: 'x' });
      const done = await Promise.allSettled([
        create(service),
        create(service),
        create(restarted()),
      ]);
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = done.filter((outcome) => outcome.status === 'rejected');
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'TABLE_EXISTS' });
    });

    test('of the platform is not for users to make or write', async () => {
      const { service } = await bench(open);
      const ref = { namespace: 'predictions', name: 'late' };
      const refused = { code: 'INVALID_INPUT' };
      const create = service.create({ ...ref, columns: [...COLUMNS], actor: 'test' });
      await expect(create).rejects.toMatchObject(refused);
      const append = service.append({ ...ref, bytes: stream(), actor: 'test' });
      await expect(append).rejects.toMatchObject(refused);
    });

    test('is listed, page by page', async () => {
      const { service } = await withTable(open);
      await service.create({ ...REF, name: 'more', columns: [...COLUMNS], actor: 'test' });
      const first = await service.list({ limit: 1 });
      expect(first.items.map(({ name }) => name)).toEqual(['more']);
      const second = await service.list({ limit: 1, cursor: first.nextCursor! });
      expect(second.items.map(({ name }) => name)).toEqual(['rows']);
      expect(second.nextCursor).toBeNull();
    });

    test('tells its history, page by page', async () => {
      const { service, append } = await withTable(open);
      await append(1);
      await append(2);
      const first = await service.history(REF, { limit: 2 });
      expect(first.items.map(({ version, operation }) => [version, operation])).toEqual([
        [2, 'WRITE'],
        [1, 'WRITE'],
      ]);
      const rest = await service.history(REF, { limit: 2, cursor: first.nextCursor! });
      expect(rest.items).toMatchObject([{ version: 0, operation: 'CREATE TABLE', rowsAdded: 0 }]);
      expect(rest.nextCursor).toBeNull();
    });
  });

  describe('an append', () => {
    test('without an id always adds its rows', async () => {
      const { append, stored, events } = await withTable(open);
      expect(await append(1)).toEqual({ version: 1, rows: 1, duplicate: false });
      expect(await append(1)).toEqual({ version: 2, rows: 1, duplicate: false });
      expect(await stored()).toEqual([1, 1]);
      const [event] = await events.list({ limit: 1 });
      expect(event).toMatchObject({ kind: 'table.appended', data: { version: 2, rows: 1 } });
    });

    test('with a batch id adds its rows once', async () => {
      const { append, stored, restarted } = await withTable(open);
      expect(await append(1, { batch: 'a' })).toEqual({ version: 1, rows: 1, duplicate: false });
      await append(2, { batch: 'b' });
      const again = { version: 1, rows: 0, duplicate: true };
      expect(await append(1, { batch: 'a' })).toEqual(again);
      expect(await append(1, { batch: 'a' }, restarted())).toEqual(again);
      expect(await stored()).toEqual([1, 2]);
    });

    test('sent twice at once waits for the first and answers duplicate', async () => {
      const { append, stored } = await withTable(open);
      const both = await Promise.all([append(1, { batch: 'a' }), append(1, { batch: 'a' })]);
      expect(both.map(({ rows }) => rows).toSorted((a, b) => a - b)).toEqual([0, 1]);
      expect(both.every(({ rows, duplicate }) => duplicate === (rows === 0))).toBe(true);
      expect(await stored()).toEqual([1]);
    });

    test('remembers a batch id for its time, and no longer', async () => {
      const { append, clock } = await withTable(open);
      await append(1, { batch: 'a' });
      clock.advance((BATCH_EXPIRY_HOURS - 1) * HOUR_MS);
      expect((await append(1, { batch: 'a' })).duplicate).toBe(true);
      clock.advance(HOUR_MS);
      expect((await append(1, { batch: 'a' })).duplicate).toBe(false);
    });

    test('of a stream adds what rises, and nothing else', async () => {
      const { append, stored } = await withTable(open);
      const send = (sequence: number, stream = 's') => append(sequence, { stream, sequence });
      expect(await send(0)).toEqual({ version: 1, rows: 1, duplicate: false });
      expect(await send(7)).toEqual({ version: 2, rows: 1, duplicate: false });
      expect(await send(7)).toEqual({ version: 2, rows: 0, duplicate: true });
      expect(await send(3)).toMatchObject({ rows: 0, duplicate: true });
      expect(await send(7, 't')).toMatchObject({ duplicate: false });
      expect(await stored()).toEqual([0, 7, 7]);
    });

    test('of a client stream called as ours does not touch ours', async () => {
      const { append, stored } = await withTable(open);
      await append(1, { stream: 'batches', sequence: 1_000_000 });
      expect((await append(2, { batch: 'a' })).duplicate).toBe(false);
      expect(await stored()).toEqual([1, 2]);
    });

    test('that does not fit is refused and leaves its batch id free', async () => {
      const { service, append, stored } = await withTable(open);
      const bytes = stream(ndjson({ id: 1 }, { id: 'x' }));
      const bad = service.append({ ...REF, bytes, batch: 'a', actor: 'test' });
      await expect(bad).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { line: 2 } });
      expect(await append(1, { batch: 'a' })).toMatchObject({ duplicate: false });
      expect(await stored()).toEqual([1]);
    });

    test.each([
      { stream: 's' },
      { sequence: 1 },
      { stream: 's', sequence: 1, batch: 'a' },
      { batch: 'a', sequence: 1 },
    ])('addressed by %j is refused', async (how) => {
      const { append } = await withTable(open);
      await expect(append(1, how)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    });

    test('to a table that does not exist is refused before its rows are read', async () => {
      const { service } = await bench(open);
      const unread: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => {
          throw new Error('was read');
        },
      };
      const append = service.append({ ...REF, bytes: unread, actor: 'test' });
      await expect(append).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    });

    test('past its limit is refused', async () => {
      const { service, stored } = await withTable(open);
      const mebibyte = new Uint8Array(1024 ** 2).fill(0x0a);
      const chunks = Array.from({ length: APPEND_BYTES_MAX / 1024 ** 2 + 1 }, () => mebibyte);
      const append = service.append({ ...REF, bytes: stream(...chunks), actor: 'test' });
      await expect(append).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
      expect(await stored()).toEqual([]);
    });
  });

  describe('an append whose engine dies', () => {
    test.each([
      ['dies-before', false],
      ['dies-after', true],
    ] as const)('(%s): repeating it adds its rows once', async (fault, wasIn) => {
      const { engine, append, stored, restarted, events } = await withTable(open);
      engine.fault = fault;
      const first = append(1, { batch: 'a' });
      await expect(first).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      const again = await append(1, { batch: 'a' }, restarted());
      expect(again).toEqual({ version: 1, rows: wasIn ? 0 : 1, duplicate: wasIn });
      expect(await stored()).toEqual([1]);
      const told = await events.list({ limit: 9 });
      expect(told.filter(({ kind }) => kind === 'table.appended')).toHaveLength(1);
    });

    test('and is sent again by itself is not taken for a repetition', async () => {
      const { engine, append, stored } = await withTable(open);
      engine.fault = 'sent-twice';
      expect(await append(1)).toEqual({ version: 1, rows: 1, duplicate: false });
      expect(await stored()).toEqual([1]);
    });

    test('is settled by the next append of another batch', async () => {
      const { engine, append, stored } = await withTable(open);
      engine.fault = 'dies-after';
      await append(1, { batch: 'a' }).catch(() => undefined);
      await append(2, { batch: 'b' });
      expect(await append(1, { batch: 'a' })).toEqual({ version: 1, rows: 0, duplicate: true });
      expect(await stored()).toEqual([1, 2]);
    });

    test('never loses or doubles rows, however often clients repeat', async () => {
      const send = fc.record({
        batch: fc.nat(3),
        fault: fc.option(fc.constantFrom<Fault>('dies-before', 'dies-after', 'sent-twice')),
        restarts: fc.boolean(),
      });
      let round = 0;
      const { engine, service, restarted } = await bench(open);
      await fc.assert(
        fc.asyncProperty(fc.array(send, { maxLength: 8 }), async (sends) => {
          round += 1;
          const ref = { ...REF, name: `t${round}` };
          let main = service;
          await main.create({ ...ref, columns: [...COLUMNS], actor: 'test' });
          const answered = new Set<number>();
          const tried = new Set<number>();
          for (const { batch, fault, restarts } of sends) {
            if (restarts) main = restarted();
            engine.fault = fault;
            tried.add(batch);
            const bytes = stream(ndjson({ id: batch }));
            const append = main.append({ ...ref, bytes, batch: `b${batch}`, actor: 'test' });
            await append.then(() => answered.add(batch)).catch(() => undefined);
          }
          engine.fault = null;
          const page = { limit: 100, offset: 0 };
          const { rows } = await main.rows(ref, page, new AbortController().signal);
          const found = rows.flat() as number[];
          expect(new Set(found).size).toBe(found.length);
          for (const batch of answered) expect(found).toContain(batch);
          for (const batch of found) expect(tried).toContain(batch);
        }),
        { numRuns: dialect === 'sqlite' ? 15 : 5 },
      );
    });
  });
});
