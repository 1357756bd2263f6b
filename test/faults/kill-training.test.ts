import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { formatInstant, micros, parseInstant } from '../../src/base/time.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { HttpClient } from './http-client.ts';
import { pointsOf } from './life.ts';
import { killAll, startServer } from './server-process.ts';

const MINUTES_5 = 300_000;
const FLIGHTS = 300;
const START = present(parseInstant('2001-01-01T00:00:00Z'), 'the start');
const MINUTE_MICROS = 60_000_000;
const RANGE = { from: '2001-01-01T00:00:00Z', until: '2001-02-01T00:00:00Z' };
const SET = '/api/v1/training-sets/late_train';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-training-'));
});

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

async function prepare(client: HttpClient): Promise<void> {
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    await client.json('POST', '/api/v1/tables', { namespace: 'default', name, columns });
  }
  const minute = (at: number): string => formatInstant(micros(START + at * MINUTE_MICROS));
  const flights = Array.from({ length: FLIGHTS }, (_, id) => {
    const key = { flight_id: id, origin: 'ORD', destination: `D${id % 7}` };
    return {
      departures: { ...key, departed_at: minute(id), distance: id },
      landings: { ...key, landed_at: minute(id + 90), delay: id % 60, late: id % 5 === 0 },
    };
  });
  for (const name of ['departures', 'landings'] as const) {
    const answer = await client.call({
      method: 'POST',
      path: `/api/v1/tables/default/${name}/rows`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: Buffer.from(flights.map((one) => JSON.stringify(one[name])).join('\n')),
    });
    expect(answer.status).toBe(200);
  }
  const declared = flightSections();
  delete declared['training_sets']!['late_train']!['require'];
  await client.json('POST', '/api/v1/apply', { declared });
}

async function versions(client: HttpClient): Promise<readonly unknown[]> {
  const page = await client.json<{ items: unknown[] }>('GET', `${SET}/versions`);
  return page.items;
}

describe('a training set is registered whole or not at all when the engine is killed', () => {
  test.each(pointsOf('training'))(
    'at %s',
    async (point) => {
      // Every engine that is sent the build dies of it.
      const env = { MILLWRIGHT_FAULT: `${point}:1` };
      const first = await startServer({ state: folder, env });
      const dying = new HttpClient(first.url);
      await prepare(dying);
      const answer = await dying.call({
        method: 'POST',
        path: `${SET}/build`,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(RANGE)),
      });
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'ENGINE_UNAVAILABLE' } });
      expect(await versions(dying)).toEqual([]);
      dying.close();
      first.kill();
      await first.exited;

      const second = await startServer({ state: folder });
      const client = new HttpClient(second.url);
      expect(await versions(client)).toEqual([]);
      const built = await client.json<{ tableVersion: number }>('POST', `${SET}/build`, RANGE);
      expect(built).toMatchObject({ version: 1, rows: FLIGHTS, reused: false });
      const table = '/api/v1/tables/training_sets/late_train';
      const query = `version=${built.tableVersion}`;
      expect(await client.json('GET', `${table}?${query}`)).toMatchObject({ rows: FLIGHTS });
      expect(await versions(client)).toHaveLength(1);
      client.close();
      await second.stop();
    },
    MINUTES_5,
  );
});
