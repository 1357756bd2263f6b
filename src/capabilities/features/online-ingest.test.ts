import { expect, test } from 'vitest';
import { ManualClock } from '../../app/testing.ts';
import { micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { EventHandler } from '../../platform/events/port.ts';
import { silentLog } from '../../platform/log/log.ts';
import type { CompiledView } from './compiled.ts';
import { OnlineIngest } from './online-ingest.ts';
import type { OnlineFeaturesTasks } from './online-tasks.ts';

test('nothing is taken, or dropped, before everybody said what they answer with', async () => {
  let asked = 0;
  const ingest = new OnlineIngest({
    engine: { run: () => Promise.reject(new Error('There is nothing to do.')) },
    kv: { get: () => null, peek: () => null },
    events: { consume: (name) => Promise.resolve({ name, stop: () => Promise.resolve() }) },
    clock: new ManualClock(),
    log: silentLog,
    views: () => {
      asked += 1;
      return Promise.resolve([]);
    },
  });
  ingest.request();
  expect(asked).toBe(0);
  await ingest.start();
  expect(asked).toBe(1);
  await ingest.close();
});

const DELAYS: CompiledView = {
  name: 'delays',
  hash: 'a'.repeat(64),
  source: {
    name: 'landings',
    table: { namespace: 'main', name: 'landings' },
    idColumn: 'flight_id',
    eventTimeColumn: 'landed_at',
  },
  keys: [],
  windows: [],
  aggregates: [],
};

test('an append is followed at once, and its event asks for no more', async () => {
  const slices: (() => void)[] = [];
  const run = () =>
    new Promise((resolve) => {
      slices.push(() => resolve({ done: true, rows: 1, failures: [] }));
    });
  let handle: EventHandler = () => Promise.resolve();
  const ingest = new OnlineIngest({
    engine: { run } as unknown as Engine<OnlineFeaturesTasks>,
    kv: { get: () => null, peek: () => null },
    events: {
      consume: (name, handler) => {
        handle = handler;
        return Promise.resolve({ name, stop: () => Promise.resolve() });
      },
    },
    clock: new ManualClock(),
    log: silentLog,
    views: () => Promise.resolve([DELAYS]),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const told = (version: number) =>
    handle(
      {
        seq: version,
        wall: micros(0),
        now: micros(0),
        actor: 'a',
        kind: 'table.appended',
        subject: 'table/main.landings',
        data: { version },
      },
      { signal: new AbortController().signal },
    );
  await ingest.start();
  await settled();
  slices.pop()!();
  await settled();

  ingest.appended(DELAYS.source.table, 7);
  await settled();
  const first = told(7);
  await settled();
  expect(slices).toHaveLength(1);
  slices.pop()!();
  await first;
  await settled();
  expect(slices).toHaveLength(0);

  ingest.appended(DELAYS.source.table, 8);
  await settled();
  ingest.appended(DELAYS.source.table, 9);
  await settled();
  slices.pop()!();
  await settled();
  expect(slices, 'what came during a slice is followed by the next').toHaveLength(1);
  slices.pop()!();
  await ingest.close();
});
