import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import { createIds, sleep, systemClock } from '../../src/platform/system.ts';
import { ndjson } from '../contracts/lake.ts';
import { FLIGHTS, prepareFlights } from './flight-tables.ts';
import { HttpClient, type Answer } from './http-client.ts';
import {
  killAll,
  processesOf,
  runCommand,
  startServer,
  until,
  type Server,
} from './server-process.ts';
import { SmallDisk } from './small-disk.ts';

/** Writers besides journal and registry: refused on a full disk, whole when there is room. */

const MINUTES_2 = 120_000;
/** How long the log is looked at, and what it may say meanwhile: not ten lines a second. */
const FULL_MS = 4000;
const LINES_MAX = 60;
const RANGE = { from: '2001-01-01T00:00:00Z', until: '2001-02-01T00:00:00Z' };
const SET = '/api/v1/training-sets/late_train';
const MLFLOW = '/api/2.0/mlflow';

let disk: SmallDisk;
let state: string;
let scratch: string;

beforeEach(() => {
  disk = new SmallDisk(32);
  state = path.join(disk.folder, 'state');
  scratch = mkdtempSync(path.join(tmpdir(), 'mw-full-'));
});

afterEach(async () => {
  await killAll();
  await until('the engine is gone too', () => processesOf(state).length === 0);
  disk.unmount();
  rmSync(scratch, { recursive: true, force: true });
});

/** Lines of the log that say so. */
function linesOf({ stderr, stdout }: Server, event: string): number {
  return `${stderr}${stdout}`.split('\n').filter((line) => line.includes(event)).length;
}

function posted(client: HttpClient, at: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return client.call({ method: 'POST', path: at, headers, body: JSON.stringify(body) });
}

function refused({ status, body }: Answer): void {
  expect(status, body).toBe(507);
  expect(JSON.parse(body)).toMatchObject({
    error: { code: 'DISK_FULL', hint: expect.stringContaining('Free some space') as string },
  });
}

test(
  'a training set, a long append and a tracked run are refused, and whole afterwards',
  async () => {
    const server = await startServer({ state });
    const client = new HttpClient(server.url);
    await prepareFlights(client);
    const post = (at: string, body: unknown): Promise<Answer> => posted(client, at, body);
    const append = (): Promise<Answer> =>
      client.call({
        method: 'POST',
        path: '/api/v1/tables/lab/notes/rows?batch=long',
        headers: { 'content-type': 'application/x-ndjson' },
        body: `${JSON.stringify({ text: 'x'.repeat(1000) })}\n`.repeat(9000),
      });
    const columns = [{ name: 'text', type: 'string' }];
    await client.json('POST', '/api/v1/tables', { namespace: 'lab', name: 'notes', columns });
    const { run } = await client.json<{ run: { info: { run_id: string } } }>(
      'POST',
      `${MLFLOW}/runs/create`,
      { experiment_id: '0', start_time: 0 },
    );
    const id = run.info.run_id;
    const upload = (): Promise<Answer> =>
      client.call({
        method: 'PUT',
        path: `/api/2.0/mlflow-artifacts/artifacts/0/${id}/artifacts/notes.txt`,
        body: Buffer.alloc(300_000, 'n'),
      });
    const log = (): Promise<Answer> =>
      post(`${MLFLOW}/runs/log-batch`, {
        run_id: id,
        params: Array.from({ length: 90 }, (_, key) => ({
          key: `p${key}`,
          value: 'v'.repeat(500),
        })),
      });
    const listed = (): Promise<{ files?: unknown[] }> =>
      client.json('GET', `${MLFLOW}/artifacts/list?run_id=${id}`);
    const logged = async (): Promise<number> => {
      const got = await client.json<{ run: { data: { params?: unknown[] } } }>(
        'GET',
        `${MLFLOW}/runs/get?run_id=${id}`,
      );
      return got.run.data.params?.length ?? 0;
    };

    disk.fill();
    refused(await post(`${SET}/build`, RANGE));
    refused(await append());
    for (const answer of [await upload(), await log()]) {
      expect(answer.status, answer.body).toBeGreaterThanOrEqual(500);
      expect(answer.body).toMatch(/disk .* is full/);
    }
    expect(await client.json('GET', `${SET}/versions`)).toMatchObject({ items: [] });
    expect([(await listed()).files ?? [], await logged()]).toEqual([[], 0]);
    await sleep(FULL_MS);
    expect(linesOf(server, 'events.consumer.stalled')).toBeLessThan(LINES_MAX);
    disk.free();

    expect(await client.json('POST', `${SET}/build`, RANGE)).toMatchObject({ rows: FLIGHTS });
    expect(JSON.parse((await append()).body)).toMatchObject({ rows: 9000, duplicate: false });
    expect(JSON.parse((await append()).body)).toMatchObject({ duplicate: true });
    expect([(await upload()).status, (await log()).status]).toEqual([200, 200]);
    expect([(await listed()).files?.length, await logged()]).toEqual([1, 90]);
    const status = await client.json<{ engine: { restarts: number } }>('GET', '/api/v1/status');
    expect(status.engine.restarts).toBe(0);
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTES_2,
);

test(
  'a backup leaves nothing behind, whichever of the two disks is full',
  async () => {
    const server = await startServer({ state });
    const client = new HttpClient(server.url);
    await prepareFlights(client);
    client.close();
    const backUp = (to: string) => runCommand(['--state', state, 'backup', to]);
    const elsewhere = path.join(scratch, 'backup');
    disk.fill();
    const first = await backUp(elsewhere);
    expect([first.code, first.stderr]).toEqual([2, expect.stringContaining('disk')]);
    expect(readdirSync(scratch)).toEqual([]);
    expect(readdirSync(path.join(state, 'tmp')).filter((it) => it.startsWith('cut-'))).toEqual([]);
    disk.free();

    const other = new SmallDisk(1);
    onTestFinished(() => other.unmount());
    other.leave(100_000);
    const second = await backUp(path.join(other.folder, 'backup'));
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('has no room')]);
    expect(readdirSync(other.folder)).toEqual(['ballast']);

    const third = await backUp(elsewhere);
    expect(third.code, third.stderr).toBe(0);
    expect((await runCommand(['--state', state, 'backup', 'verify', elsewhere])).code).toBe(0);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTES_2,
);

test(
  'a merge of small files that finds no room leaves the table and the disk as they were',
  async () => {
    const lakeFolder = path.join(disk.folder, 'lake');
    mkdirSync(lakeFolder);
    const ids = createIds(systemClock);
    const analytics = await openDuckDb({
      folders: [lakeFolder],
      temporaryFolder: path.join(scratch, 'spill'),
      memoryLimitBytes: 512 * 1024 ** 2,
      threads: 1,
      ids,
    });
    onTestFinished(() => analytics.close());
    const failures: string[] = [];
    const told = (message: string): void => void failures.push(message);
    const log = { debug: told, info: told, warn: told, error: told, child: () => log };
    const tables = new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids, log });
    const ref = { namespace: 'lab', name: 'rows' };
    await tables.create(ref, [{ name: 'id', type: 'long', nullable: false }]);
    for (let id = 0; id < 319; id += 1) await tables.append({ ...ref, ndjson: ndjson({ id }) });
    disk.leave(40_000);
    await tables.append({ ...ref, ndjson: ndjson({ id: 319 }) });
    await until('the merge has failed', () => failures.includes('tables.compaction.failed'));
    const folder = path.join(lakeFolder, 'lab/rows');
    const files = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
    expect(files).toHaveLength(320);
    expect(readdirSync(path.join(folder, '_delta_log')).filter((it) => it.startsWith('.'))).toEqual(
      [],
    );
    const numbers = async (): Promise<readonly number[]> => {
      const { rows } = await tables.rows(ref, { offset: 0, limit: 1000 });
      return rows.map(([id]) => Number(id)).toSorted((a, b) => a - b);
    };
    expect(await numbers()).toEqual(Array.from({ length: 320 }, (_, id) => id));
    disk.fill();
    const failing = tables.append({ ...ref, ndjson: ndjson({ id: 320 }) });
    await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/FULL|ENOSPC/) });
    expect(await numbers()).toHaveLength(320);
    disk.free();
    await tables.append({ ...ref, ndjson: ndjson({ id: 320 }) });
    expect(await numbers()).toHaveLength(321);
  },
  MINUTES_2,
);
