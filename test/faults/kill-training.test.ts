import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FLIGHTS, prepareFlights } from './flight-tables.ts';
import { HttpClient } from './http-client.ts';
import { pointsOf } from './life.ts';
import { killAll, startServer } from './server-process.ts';

const MINUTES_5 = 300_000;
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
      await prepareFlights(dying);
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
