import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep, systemClock } from '../../src/platform/system.ts';
import { ClockShift } from './clock-shift.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, startServer, until, type Server } from './server-process.ts';
import { drive } from './traffic.ts';

/** The clock of a machine is set while its server runs: by hours, both ways. */

const HOURS = [5, -5, 400, -300, 0] as const;
const HOUR_MS = 3_600_000;
const MINUTES_3 = 180_000;
/** Longer than anything here waits before it flushes, retries or looks again. */
const SOON_MS = 20_000;

let folder: string;
let shift: ClockShift;
let server: Server;
let client: HttpClient;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-clock-'));
  shift = new ClockShift(folder);
  await prepareState(path.join(folder, 'state'), 1);
  server = await startServer({ state: path.join(folder, 'state'), env: shift.env });
  client = new HttpClient(server.url, { connections: 2 });
});

afterEach(async () => {
  client.close();
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

interface LogStatus {
  readonly answered: number;
  readonly flushed: number;
  readonly lastFlushError: string | null;
}

/** How far the server's clock is from the machine's, in whole hours. */
async function hoursOff(): Promise<number> {
  const { wall } = await client.json<{ wall: string }>('GET', '/api/v1/status');
  return Math.round((Date.parse(wall) - systemClock.wall() / 1000) / HOUR_MS);
}

test(
  'requests are answered, logged and flushed, and appends are in once, at any hour',
  async () => {
    const ledger = new Ledger();
    const random = new Seeded(7);
    await client.json('POST', '/api/v1/tables', {
      namespace: 'lab',
      name: 'rows',
      columns: [{ name: 'n', type: 'long' }],
    });
    let isOver = false;
    const traffic = drive(server, {
      ledger,
      random,
      connections: 2,
      changes: null,
      isOver: () => isOver,
    });
    for (const [index, hours] of HOURS.entries()) {
      shift.to(hours);
      await until('the server sees it', async () => (await hoursOff()) === hours);
      for (const expected of [false, true]) {
        const appended = await client.call({
          method: 'POST',
          path: `/api/v1/tables/lab/rows/rows?batch=b${index}`,
          headers: { 'content-type': 'application/x-ndjson' },
          body: `{"n":${index}}\n`,
        });
        expect(JSON.parse(appended.body)).toMatchObject({ duplicate: expected });
      }
      const { answered } = await client.json<LogStatus>('GET', '/api/v1/predictions/log');
      await until(
        'what was answered by then is flushed',
        async () => {
          const log = await client.json<LogStatus>('GET', '/api/v1/predictions/log');
          expect(log.lastFlushError).toBeNull();
          return log.flushed >= answered;
        },
        SOON_MS,
      );
      expect(await client.json('GET', '/health')).toMatchObject({ status: 'ok' });
    }
    isOver = true;
    await traffic;
    await checkListed(client, ledger);
    const table = await client.json<{ rows: number }>('GET', '/api/v1/tables/lab/rows');
    expect(table.rows).toBe(HOURS.length);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTES_3,
);

test(
  'a token ends by the clock that the server has, and a session with it',
  async () => {
    const headers = (token: string) => ({ authorization: `Bearer ${token}` });
    const made = await client.json<{ token: string }>('POST', '/api/v1/auth/tokens', {
      name: 'boss',
      scopes: ['admin'],
    });
    const asBoss = { ...headers(made.token), 'content-type': 'application/json' };
    const short = await client.call({
      method: 'POST',
      path: '/api/v1/auth/tokens',
      headers: asBoss,
      body: JSON.stringify({ name: 'short', scopes: ['read'], expiresInSeconds: 3600 }),
    });
    const { token } = JSON.parse(short.body) as { token: string };
    const session = await client.call({
      method: 'POST',
      path: '/api/v1/auth/session',
      headers: headers(token),
    });
    const [cookie] = String(session.headers['set-cookie']).split(';');
    const statusOf = async (given: Record<string, string>) =>
      (await client.call({ path: '/api/v1/status', headers: given })).status;
    for (const [hours, status] of [
      [0, 200],
      [2, 401],
      [0, 200],
      [-2, 200],
      [2, 401],
    ] as const) {
      shift.to(hours);
      await sleep(50);
      expect([hours, await statusOf(headers(token))]).toEqual([hours, status]);
      expect([hours, await statusOf({ cookie: cookie! })]).toEqual([hours, status]);
      expect(await statusOf(headers(made.token))).toBe(200);
    }
  },
  MINUTES_3,
);
