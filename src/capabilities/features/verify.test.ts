import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ndjson } from '../../../test/contracts/lake.ts';
import { flightService, landing } from '../../../test/contracts/landings.ts';
import { DAY, flights, NOW, START, type Flights } from '../../../test/contracts/online-rig.ts';
import { formatInstant, micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import type { CompiledService } from './compiled.ts';
import { naiveVector } from './naive.ts';
import type { VerifyReport } from './online-contract.ts';
import { rootsPrefix } from './tiles-keys.ts';
import { recomputeVectors, verifyVectors } from './verify.ts';

const PREDICTIONS = { namespace: 'predictions', name: 'late' };
const text = (name: string) => ({ name, type: 'string' as const, nullable: true });
const COLUMNS = [
  text('request_id'),
  { name: 'answered_at', type: 'timestamp' as const, nullable: false },
  ...['service', 'definition', 'entity', 'features', 'watermark'].map(text),
];
const INPUTS = { origin: 'ORD', destination: 'LGA', distance: 733 };

/** Answers with the service's online vector, and keeps it as the gateway's log does. */
class Answers {
  readonly state: Flights;
  count = 0;

  constructor(state: Flights) {
    this.state = state;
  }

  async answer(time: Micros, inputs: typeof INPUTS = INPUTS): Promise<readonly (number | null)[]> {
    const { values, watermarks } = this.state.online(inputs, time);
    await this.log({ time, inputs, values, watermarks });
    return values;
  }

  async log(row: {
    readonly time: Micros;
    readonly inputs: object;
    readonly values: readonly (number | null)[];
    readonly watermarks: object;
    readonly definition?: string;
  }): Promise<void> {
    const { tables } = this.state.lake;
    await tables.ensure(PREDICTIONS, COLUMNS);
    this.count += 1;
    const logged = {
      request_id: `req_${this.count}`,
      answered_at: formatInstant(row.time),
      service: this.state.service.name,
      definition: row.definition ?? this.state.service.hash,
      entity: JSON.stringify(row.inputs),
      features: JSON.stringify(row.values),
      watermark: JSON.stringify(row.watermarks),
    };
    await tables.append({ ...PREDICTIONS, ndjson: ndjson(logged) });
  }

  async verify(definitions: readonly CompiledService[] = []): Promise<VerifyReport> {
    const { lake, service } = this.state;
    const range = { from: micros(START - 100 * DAY), until: micros(NOW + DAY) };
    const input = { definitions: [service, ...definitions], ...range };
    return await verifyVectors(lake, input, new AbortController().signal);
  }
}

const airport = fc.constantFrom('ORD', 'LGA');
const row = fc
  .record({
    id: fc.integer({ min: 0, max: 30 }),
    hour: fc.integer({ min: 0, max: 200 }),
    origin: fc.option(airport),
    destination: airport,
    delay: fc.option(fc.integer({ min: -60, max: 400 })),
  })
  .map(({ hour, ...rest }) => landing({ ...rest, time: NOW - 7 * DAY + hour * 3_600_000_000 }));

test('finds every vector right, and tells which of them later events would change', async () => {
  const steps = fc.array(
    fc.record({
      rows: fc.array(row, { minLength: 1, maxLength: 20 }),
      asked: fc.array(fc.tuple(airport, airport, fc.integer({ min: 0, max: 168 })), {
        maxLength: 3,
      }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const state = await flights();
      const answers = new Answers(state);
      const asked: { inputs: typeof INPUTS; time: Micros; values: readonly unknown[] }[] = [];
      const explained: Parameters<typeof recomputeVectors>[1][] = [];
      for (const { rows, asked: of } of history) {
        await state.append(rows);
        await state.take();
        for (const [origin, destination, hour] of of) {
          const time = micros(NOW - 7 * DAY + hour * 3600 * MICROS_PER_SECOND);
          const inputs = { ...INPUTS, origin, destination };
          asked.push({ inputs, time, values: await answers.answer(time, inputs) });
          const { watermarks } = state.online(inputs, time);
          explained.push({ service: state.service, rows: [INPUTS, inputs], at: time, watermarks });
        }
      }
      for (const [index, input] of explained.entries()) {
        const [, vector] = await recomputeVectors(state.lake, input, new AbortController().signal);
        expect(vector).toEqual(asked[index]!.values);
      }
      const report = await answers.verify();
      expect(report).toMatchObject({ rows: asked.length, skipped: 0, logicMismatches: 0 });
      const changed = asked.flatMap(({ inputs, time, values }) => {
        const settled = state.naive(inputs, time);
        return values.filter((value, index) => value !== settled[index]);
      });
      expect(report.freshnessGaps).toBe(changed.length);
    }),
    { numRuns: 15 },
  );
}, 120_000);

test('recomputes long histories as the naive reference does', async () => {
  const state = await flights();
  const answers = new Answers(state);
  for (let batch = 0; batch < 4; batch += 1) {
    const rows = Array.from({ length: 300 }, (_, index) => {
      const id = batch * 200 + index;
      return landing({ id, time: NOW - 10 * DAY + ((id * 7919) % (10 * DAY)), delay: id % 90 });
    });
    await state.append(rows);
    await state.take();
    await answers.answer(NOW);
    await answers.answer(micros(NOW - DAY));
  }
  const report = await answers.verify();
  expect(report).toMatchObject({ rows: 8, logicMismatches: 0, isConsistent: true });
  expect(report.freshnessGaps).toBeGreaterThan(0);
});

test('a corrupted tile is found out by the vectors that were served from it', async () => {
  const state = await flights();
  const answers = new Answers(state);
  await state.append([landing({ id: 1, time: NOW - DAY, delay: 20 })]);
  await state.take();
  await answers.answer(NOW);
  expect(await answers.verify()).toMatchObject({ logicMismatches: 0, isConsistent: true });
  const bounds = { from: rootsPrefix(0).slice(0, -2), to: 'features/root0', limit: 10 };
  const [root] = state.kv.range(bounds);
  const doubles = new Float64Array(root!.value.buffer.slice(0));
  doubles[doubles.length - 1]! += 1000;
  await state.kv.apply([{ key: root!.key, value: new Uint8Array(doubles.buffer) }]);
  await answers.answer(NOW);
  const report = await answers.verify();
  expect(report.isConsistent).toBe(false);
  expect(report.logicMismatches).toBeGreaterThan(0);
  expect(report.examples[0]).toMatchObject({ kind: 'logic', requestId: 'req_2', endpoint: 'late' });
  await state.take({ rebuild: true });
  await state.take();
  await answers.answer(NOW);
  expect((await answers.verify()).logicMismatches).toBe(report.logicMismatches);
});

test('counts what another definition gave, and skips what nobody can recompute', async () => {
  const state = await flights();
  const answers = new Answers(state);
  await state.append([landing({ id: 1, time: NOW - 20 * DAY, delay: 20 })]);
  await state.take();
  const { watermarks } = state.online(INPUTS, NOW);
  const lifetime = flightService(({ views }) => {
    views!['origin_delays']!['features'] = {
      n: { agg: 'count' },
      late: { agg: 'avg', of: 'cast(late as double)' },
      delay: { agg: 'max', of: 'clamp(delay, -30, 18)' },
    };
  });
  const events = () => [{ id: 1, eventTime: NOW - 20 * DAY, row: { ...state.rows[0]! } }];
  const values = naiveVector(lifetime, events, { inputs: INPUTS, time: NOW });
  const logged = { time: NOW, inputs: INPUTS, values, watermarks };
  await answers.log({ ...logged, definition: lifetime.hash });
  await answers.log({ ...logged, definition: 'f'.repeat(64) });
  const report = await answers.verify([lifetime]);
  expect(report).toMatchObject({ rows: 2, skipped: 1, logicMismatches: 0, isConsistent: false });
  const changed = report.features.filter(({ definition }) => definition > 0);
  expect(changed.map(({ name }) => name)).toEqual(['origin_delays__delay_30d']);
});
