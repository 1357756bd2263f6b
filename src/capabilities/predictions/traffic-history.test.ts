import { describe, expect, test } from 'vitest';
import { ndjson, openLake } from '../../../test/contracts/lake.ts';
import { micros } from '../../base/time.ts';
import type { JournaledPrediction } from './record.ts';
import { PREDICTION_COLUMNS, predictionRow, PREDICTIONS } from './tables.ts';
import { trafficHistory } from './traffic-history.ts';
import { stretchesOf } from './traffic-stretches.ts';

const START = Date.UTC(2001, 2, 1) * 1000;
const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const { signal } = new AbortController();

interface Answer {
  readonly hour: number;
  readonly version?: number;
  readonly arm?: string;
  readonly status?: number;
  readonly us: number;
}

function row({ hour, version = 1, arm = 'blue', status = 200, us }: Answer, seq: number) {
  const at = micros(START + hour * HOUR);
  const record: JournaledPrediction = {
    request_id: `r${seq}`,
    endpoint: 'late',
    now: at,
    wall: at,
    key: null,
    route_revision: 1,
    arm,
    reason: 'weight',
    bucket: null,
    model: 'late',
    model_version: version,
    digest: '',
    runtime: '',
    status,
    error_code: null,
    queue_us: 1,
    inference_us: 2,
    total_us: us,
    client: null,
    trace_id: null,
    truncated: false,
    request: null,
    response: null,
    joined: null,
  };
  return predictionRow(record, { journal: 'main', seq });
}

async function historyOf(answers: readonly Answer[], asked: { from: number; until: number }) {
  const lake = await openLake();
  const table = { namespace: PREDICTIONS, name: 'late' };
  await lake.tables.ensure(table, PREDICTION_COLUMNS);
  await lake.tables.append({ ...table, ndjson: ndjson(...answers.map(row)) });
  const [from, until] = [asked.from, asked.until].map((hour) => micros(START + hour * HOUR));
  const input = { endpoint: 'late', from: from!, until: until!, everyMicros: DAY };
  return trafficHistory(lake, input, signal);
}

describe('the traffic of past days', () => {
  test('is counted by day, version and arm, oldest first', async () => {
    const found = await historyOf(
      [
        ...Array.from({ length: 99 }, () => ({ hour: 1, us: 100 })),
        { hour: 23, us: 9000, status: 500 },
        { hour: 25, us: 300, version: 2, arm: 'green' },
        { hour: 26, us: 200 },
      ],
      { from: 0, until: 48 },
    );
    expect(found.isCut).toBe(false);
    const { p99Us, ...first } = found.items[0]!;
    expect(first).toEqual({
      from: START,
      arm: 'blue',
      modelVersion: 1,
      requests: 100,
      errors: 1,
      p50Us: 100,
    });
    expect(p99Us).toBeGreaterThan(100);
    expect(found.items.slice(1).map((one) => [one.from, one.arm, one.requests])).toEqual([
      [START + DAY, 'blue', 1],
      [START + DAY, 'green', 1],
    ]);
  });

  test('has nothing from outside the time, nor of an endpoint without a table', async () => {
    const answers = [0, 30, 71, 72].map((hour) => ({ hour, us: 1 }));
    const found = await historyOf(answers, { from: 24, until: 72 });
    expect(found.items.map(({ from }) => from)).toEqual([START + DAY, START + 2 * DAY]);
    const input = { from: micros(START), until: micros(START + DAY), everyMicros: DAY };
    const lake = await openLake();
    const none = await trafficHistory(lake, { endpoint: 'other', ...input }, signal);
    expect(none).toEqual({ items: [], isCut: false });
  });
});

describe('the stretches asked for', () => {
  const now = micros(START + 12 * HOUR);

  test('are whole days, today included, unless something else is said', () => {
    const found = stretchesOf({ every: 'day' }, now);
    expect(found).toEqual({ from: START - 27 * DAY, until: START + DAY, everyMicros: DAY });
    const hours = stretchesOf({ every: 'hour', from: '2001-03-01T03:30:00Z' }, now);
    expect(hours).toEqual({ from: START + 3 * HOUR, until: now + HOUR, everyMicros: HOUR });
  });

  test('are refused when they are too many, or end before they begin', () => {
    const year = () => stretchesOf({ every: 'hour', from: '2000-03-01T00:00:00Z' }, now);
    expect(year).toThrow('there are 8773 hours');
    const backward = { from: '2001-02-01T00:00:00Z', until: '2001-01-01T00:00:00Z' };
    expect(() => stretchesOf({ every: 'day', ...backward }, now)).toThrow('ends before it begins');
  });
});
