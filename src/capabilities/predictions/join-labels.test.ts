import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import { formatInstant, micros, type Micros } from '../../base/time.ts';
import type { FaultPoint } from '../../platform/fault-points.ts';
import { MemoryKv } from '../../platform/kv/memory.ts';
import { systemClock } from '../../platform/system.ts';
import type { TableRef } from '../tables/delta-tables.ts';
import type { DeclaredLabel } from './declared-labels.ts';
import { LabelJoins, type JoinOutcome } from './join-labels.ts';
import { IndexedKeys } from './indexed-keys.ts';
import { INDEX_COMPLETE, indexRequests } from './request-index.ts';

const START = Date.UTC(2001, 2, 1) * 1000;
const HOUR = 3_600_000_000;
const { signal } = new AbortController();

interface Landing {
  readonly id: number;
  readonly late: boolean | null;
  /** Hours after the start. */
  readonly hour: number;
}

/** A source, requests and an engine that dies when told to. */
class Rig {
  readonly #lake: Lake;
  readonly label: DeclaredLabel;
  readonly #answered: number[] = [];
  #kv = new MemoryKv();
  #indexed = new IndexedKeys();
  #dies: FaultPoint | null = null;
  #joins: LabelJoins;

  constructor(lake: Lake, name: string, matureHours = 1000) {
    this.#lake = lake;
    this.label = {
      name: 'late',
      endpoint: name,
      table: { namespace: 'default', name },
      idColumn: 'flight_id',
      timeColumn: 'landed_at',
      valueColumn: 'late',
      matureMicros: matureHours * HOUR,
    };
    this.#joins = this.#start();
  }

  #start(): LabelJoins {
    const hit = (point: FaultPoint): void => {
      if (point === this.#dies) throw new Error('killed');
    };
    const { tables, analytics } = this.#lake;
    this.#indexed = new IndexedKeys();
    const on = { index: this.#kv, indexed: this.#indexed };
    const deps = { tables, analytics, ...on, clock: systemClock, faults: { hit } };
    return new LabelJoins(deps);
  }

  async create(): Promise<void> {
    await this.#lake.tables.create(this.label.table, [
      { name: 'flight_id', type: 'long', nullable: false },
      { name: 'landed_at', type: 'timestamp', nullable: true },
      { name: 'late', type: 'boolean', nullable: true },
    ]);
    await this.#kv.apply([{ key: INDEX_COMPLETE, value: new Uint8Array([1]) }]);
  }

  async land(...rows: readonly Landing[]): Promise<void> {
    const lines = rows.map(({ id, late, hour }) => ({
      flight_id: id,
      landed_at: formatInstant(micros(START + hour * HOUR)),
      late,
    }));
    await this.#lake.tables.append({ ...this.label.table, ndjson: ndjson(...lines) });
  }

  async answer(id: number): Promise<void> {
    this.#answered.push(id);
    await this.#index(id);
  }

  async #index(id: number): Promise<void> {
    const { endpoint } = this.label;
    const request = { requestId: `req_${id}`, endpoint, tableVersion: null, key: String(id) };
    await indexRequests({ index: this.#kv, indexed: this.#indexed }, [request]);
  }

  async join(hour = 0): Promise<JoinOutcome> {
    const now = micros(START + hour * HOUR);
    for (;;) {
      const outcome = await this.#joins.run({ label: this.label, now, wall: now }, signal);
      if (outcome.done) return outcome;
    }
  }

  /** The engine dies at this point, and another one starts. */
  async dieAt(point: FaultPoint, hour = 0): Promise<void> {
    this.#dies = point;
    await this.join(hour).catch(() => undefined);
    this.#dies = null;
    this.#joins = this.#start();
  }

  /** The online store is gone, and the request index was made anew. */
  async loseStore(): Promise<void> {
    this.#kv = new MemoryKv();
    await this.#kv.apply([{ key: INDEX_COMPLETE, value: new Uint8Array([1]) }]);
    for (const id of this.#answered) await this.#index(id);
    this.#joins = this.#start();
  }

  /** Values of each request's labels, in the order of their numbers. */
  async labels(): Promise<Record<string, unknown[]>> {
    const ref: TableRef = { namespace: 'labels', name: this.label.endpoint };
    const all = { where: [], limit: 10_000, columns: ['request_id', 'value', 'seq'] };
    const found = await this.#lake.tables.find(ref, all).catch(() => ({ rows: [] }));
    const rows = found.rows.toSorted((a, b) => Number(a[2]) - Number(b[2]));
    expect(rows.map(([, , seq]) => seq)).toEqual(rows.map((_, index) => index + 1));
    const labels: Record<string, unknown[]> = {};
    for (const [id, value] of rows) (labels[String(id)] ??= []).push(JSON.parse(String(value)));
    return labels;
  }
}

const lands = fc
  .array(
    fc.record({
      id: fc.integer({ min: 0, max: 5 }),
      late: fc.option(fc.boolean(), { freq: 5 }),
      hour: fc.integer({ min: 0, max: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((rows) => ({ kind: 'land', rows }) as const);
const step = fc.oneof(
  { weight: 4, arbitrary: lands },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 5 }).map((id) => ({ kind: 'answer', id }) as const),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'join' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lose' } as const) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<FaultPoint[]>('labels.before-append', 'labels.after-append')
      .map((point) => ({ kind: 'die', point }) as const),
  },
);

test('every request has the labels of its rows, each change once, whatever died', async () => {
  const lake = await openLake();
  let name = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (history) => {
      name += 1;
      const rig = new Rig(lake, `landings_${name}`);
      await rig.create();
      const landed: Landing[] = [];
      const answered = new Set<number>();
      for (const one of history) {
        if (one.kind === 'land') {
          landed.push(...one.rows);
          await rig.land(...one.rows);
        } else if (one.kind === 'answer') {
          if (!answered.has(one.id)) await rig.answer(one.id);
          answered.add(one.id);
        } else if (one.kind === 'join') await rig.join();
        else if (one.kind === 'lose') await rig.loseStore();
        else await rig.dieAt(one.point);
      }
      const { progress } = await rig.join();
      const expected: Record<string, unknown[]> = {};
      for (const { id, late } of landed) {
        if (late === null || !answered.has(id)) continue;
        const values = (expected[`req_${id}`] ??= []);
        if (values.at(-1) !== late) values.push(late);
      }
      expect(await rig.labels()).toEqual(expected);
      const matched = Object.keys(expected).length;
      const all = Object.values(expected).flat().length;
      const orphans = landed.filter((row) => row.late !== null && !answered.has(row.id)).length;
      expect(progress).toMatchObject({ rows: landed.length, matched, orphans });
      expect(progress!.corrected).toBe(all - matched);
    }),
    { numRuns: 25 },
  );
}, 120_000);

test('a row waits for its request as long as labels take to mature, and no longer', async () => {
  const rig = new Rig(await openLake(), 'landings', 12);
  await rig.create();
  await rig.land({ id: 1, late: true, hour: 0 }, { id: 2, late: true, hour: 10 });
  await rig.join(10);
  await rig.join(13);
  await rig.answer(1);
  await rig.answer(2);
  const { progress } = await rig.join(13);
  expect(await rig.labels()).toEqual({ req_2: [true] });
  expect(progress).toMatchObject({ rows: 2, matched: 1, orphans: 1 });
});

test('an engine that starts anew knows the rows that wait', async () => {
  const rig = new Rig(await openLake(), 'landings', 12);
  await rig.create();
  // The first waits no longer at the end: all that does came after the table was first read.
  for (const [id, hour] of [
    [1, 0],
    [2, 20],
    [3, 25],
  ] as const) {
    await rig.land({ id, late: true, hour });
    await rig.join(hour);
  }
  await rig.answer(3);
  await rig.dieAt('labels.before-append', 25);
  await rig.answer(2);
  const { progress } = await rig.join(25);
  expect(await rig.labels()).toEqual({ req_2: [true], req_3: [true] });
  expect(progress).toMatchObject({ rows: 3, matched: 2, orphans: 1 });
});

test('two at once join each row once', async () => {
  const rig = new Rig(await openLake(), 'landings');
  await rig.create();
  await rig.answer(1);
  await rig.land({ id: 1, late: true, hour: 1 });
  await Promise.all([rig.join(), rig.join(), rig.join()]);
  expect(await rig.labels()).toEqual({ req_1: [true] });
});

test('a table that lost rows is read anew and repeats no label', async () => {
  const lake = await openLake();
  const rig = new Rig(lake, 'landings');
  await rig.create();
  await rig.answer(1);
  await rig.land({ id: 1, late: true, hour: 1 });
  await rig.land({ id: 1, late: false, hour: 2 });
  await rig.join();
  const columns = (await lake.tables.describe(rig.label.table)).columns;
  await lake.tables.replace(rig.label.table, {
    columns,
    select:
      "SELECT 1::BIGINT AS flight_id, TIMESTAMPTZ '2001-03-01 02:00:00+00' AS landed_at, " +
      'false AS late',
    txn: { appId: 'rewrite', version: 1 },
  });
  const { progress } = await rig.join();
  expect(await rig.labels()).toEqual({ req_1: [true, false] });
  expect(progress).toMatchObject({ rows: 1, matched: 1, corrected: 0 });
});

test('a request long after its label finds it, however many came in between', async () => {
  const rig = new Rig(await openLake(), 'patient');
  await rig.create();
  await rig.answer(1);
  await rig.land({ id: 7, late: true, hour: 1 }, { id: 1, late: false, hour: 1 });
  await rig.join();
  for (let id = 100; id < 110; id += 1) {
    await rig.answer(id);
    await rig.join();
  }
  expect(await rig.labels()).toEqual({ req_1: [false] });
  await rig.answer(7);
  await rig.join();
  expect(await rig.labels()).toEqual({ req_1: [false], req_7: [true] });
});

test('a source without its table is no error, one without its column is', async () => {
  const lake = await openLake();
  const rig = new Rig(lake, 'landings');
  const other = { ...rig.label, valueColumn: 'delay' };
  const input = { label: other, now: START as Micros, wall: START as Micros };
  await rig.create();
  await rig.land({ id: 1, late: true, hour: 1 });
  const kv = new MemoryKv();
  await kv.apply([{ key: INDEX_COMPLETE, value: new Uint8Array([1]) }]);
  const faults = { hit: () => undefined };
  const { tables, analytics } = lake;
  const on = { index: kv, indexed: new IndexedKeys() };
  const joins = new LabelJoins({ tables, analytics, ...on, clock: systemClock, faults });
  await expect(joins.run(input, signal)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
  const absent = { ...input, label: { ...other, table: { namespace: 'default', name: 'none' } } };
  expect(await joins.run(absent, signal)).toEqual({ done: true, progress: null });
});
