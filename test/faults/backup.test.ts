import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { python } from '../conformance/python.ts';
import { MICROS_PER_SECOND, parseInstant, type Micros } from '../../src/base/time.ts';
import { every, sleep, systemClock } from '../../src/platform/system.ts';
import { AcknowledgedChanges } from './acknowledged-changes.ts';
import { AppendedBatches } from './appended-batches.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed, listedPredictions } from './listed-predictions.ts';
import { ENDPOINT, MODEL, prepareEndpoint } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, runCommand, startServer, type Server } from './server-process.ts';
import { drive } from './traffic.ts';

const MINUTES_5 = 300_000;
/** Backups of one life, each while all of it goes on. */
const BACKUPS = 2;
const BETWEEN_MS = 1000;
const TABLES = 3;
/** How finely what was acknowledged is told from what was not. */
const MARK_MS = 5;

let folder: string;
let state: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-backup-'));
  state = path.join(folder, 'state');
});

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** What one server was asked for and acknowledged. */
interface Acknowledged {
  readonly ledger: Ledger;
  readonly changes: AcknowledgedChanges;
  readonly appends: readonly AppendedBatches[];
}

type Mark = () => Acknowledged;

function mark({ ledger, changes, appends }: Acknowledged): Mark {
  const marked = [ledger.mark(), changes.mark()] as const;
  const tables = appends.map((one) => one.mark());
  return () => ({
    ledger: marked[0](),
    changes: marked[1](),
    appends: tables.map((table) => table()),
  });
}

/** Runs a backup, and tells what was acknowledged by the moment that it says it is of. */
async function backUpAmid(now: Acknowledged, to: string): Promise<Acknowledged> {
  const marks: { readonly at: Micros; readonly mark: Mark }[] = [];
  const begin = { at: systemClock.wall(), mark: mark(now) };
  const stop = every(MARK_MS, () => marks.push({ at: systemClock.wall(), mark: mark(now) }));
  const made = await backUp(to).finally(stop);
  const takenAt = parseInstant(String(made['takenAt']));
  const last = marks.findLast(({ at }) => at < takenAt!) ?? begin;
  expect(takenAt! - last.at).toBeLessThan(MICROS_PER_SECOND);
  return last.mark();
}

async function backUp(to: string): Promise<Record<string, unknown>> {
  const made = await runCommand(['--state', state, '--json', 'backup', to]);
  expect(made.code, made.stderr).toBe(0);
  return JSON.parse(made.stdout) as Record<string, unknown>;
}

async function verify(backup: string): Promise<{ code: number | null; stdout: string }> {
  return runCommand(['--state', state, 'backup', 'verify', backup]);
}

async function appendUntil(
  server: Server,
  table: AppendedBatches,
  isOver: () => boolean,
): Promise<void> {
  const client = new HttpClient(server.url, { connections: 1 });
  while (!isOver()) {
    await table.append(client);
    await sleep(5);
  }
  client.close();
}

/** Revisions and versions that logged requests name are all known: nothing is half there. */
async function checkReferences(client: HttpClient): Promise<void> {
  const numbers = async (at: string, name: string): Promise<ReadonlySet<unknown>> => {
    const page = await client.json<{ items: Record<string, unknown>[] }>('GET', at);
    return new Set(page.items.map((item) => item[name]));
  };
  const revisions = await numbers(`/api/v1/endpoints/${ENDPOINT}/revisions?limit=1000`, 'revision');
  const versions = await numbers(`/api/v1/models/${MODEL}/versions?limit=1000`, 'version');
  for (const { revision, version, requestId } of await listedPredictions(client)) {
    expect(revisions.has(revision), `revision ${revision} of ${requestId}`).toBe(true);
    expect(versions.has(version), `version ${version} of ${requestId}`).toBe(true);
  }
}

async function checkRestored(from: string, known: Acknowledged): Promise<void> {
  const restored = path.join(folder, `restored-${path.basename(from)}`);
  cpSync(from, restored, { recursive: true });
  const server = await startServer({ state: restored });
  const client = new HttpClient(server.url);
  await checkListed(client, known.ledger);
  await known.changes.check(client);
  await checkReferences(client);
  for (const table of known.appends) await table.check(client);
  // It serves, and numbers on: nothing new is taken for something old.
  const random = new Seeded(7);
  const later = new Ledger(`later-${path.basename(from)}`);
  for (let count = 0; count < 50; count += 1) await later.infer(client, random);
  for (const id of later.sent) known.ledger.sent.add(id);
  for (const [id, answered] of later.answered) known.ledger.answered.set(id, answered);
  await known.changes.register(client, random);
  for (const table of known.appends) await table.sendAgain(client);
  await client.call({ path: '/api/v1/trace/nobody-knows-this' });
  known.ledger.check(await listedPredictions(client));
  await known.changes.check(client);
  client.close();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  await readByDeltaLake(restored, known.appends);
}

const READ = `
import sys
from deltalake import DeltaTable
for table in sys.argv[1:]:
    newest = DeltaTable(table)
    print(newest.to_pyarrow_table().num_rows, DeltaTable(table, version=3).version())
`;

async function readByDeltaLake(at: string, appends: readonly AppendedBatches[]): Promise<void> {
  const tables = appends.map(({ table }) => path.join(at, 'lake/lab', table));
  const read = await python(READ, { args: tables });
  expect(read.trim().split('\n')).toHaveLength(tables.length);
}

test(
  'a copy taken while everything changes holds all that was acknowledged, and serves',
  async () => {
    const server = await startServer({ state });
    const client = new HttpClient(server.url);
    await prepareEndpoint(client, { versions: 3 });
    const now: Acknowledged = {
      ledger: new Ledger(),
      changes: new AcknowledgedChanges(),
      appends: Array.from({ length: TABLES }, (_, index) => new AppendedBatches(`rows${index}`)),
    };
    for (const table of now.appends) await table.create(client);
    let isOver = false;
    const random = new Seeded(1);
    const { ledger, changes: acknowledged } = now;
    const changes = { acknowledged, mostly: 'flush' as const };
    const busy = [
      drive(server, { ledger, changes, random, connections: 4, isOver: () => isOver }),
      ...now.appends.map((table) => appendUntil(server, table, () => isOver)),
    ];
    const backups: { readonly at: string; readonly known: Acknowledged }[] = [];
    for (let number = 1; number <= BACKUPS; number += 1) {
      await Promise.race([sleep(BETWEEN_MS), ...busy]);
      const at = path.join(folder, `backup-${number}`);
      backups.push({ at, known: await backUpAmid(now, at) });
    }
    isOver = true;
    await Promise.all(busy);
    client.close();
    server.kill();
    await server.exited;
    expect(readdirSync(path.join(state, 'tmp')).filter((it) => it.startsWith('cut-'))).toEqual([]);
    for (const { at, known } of backups) {
      const verified = await verify(at);
      expect(verified.code, verified.stdout).toBe(0);
      await checkRestored(at, known);
    }
  },
  MINUTES_5,
);

test(
  'without a server the copy is as good; what is there or damaged is not passed over',
  async () => {
    const server = await startServer({ state });
    const client = new HttpClient(server.url);
    await prepareEndpoint(client, { versions: 1 });
    const ledger = new Ledger();
    for (let count = 0; count < 20; count += 1) await ledger.infer(client, new Seeded(count));
    client.close();
    server.kill();
    await server.exited;
    const to = path.join(folder, 'deep/backup');
    expect(await backUp(to)).toMatchObject({ folder: to, tables: expect.any(Number) as number });
    expect(existsSync(path.join(to, 'auth.key'))).toBe(true);
    expect(existsSync(path.join(to, 'online'))).toBe(false);

    const again = await runCommand(['--state', state, 'backup', to]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is there already')]);
    const inside = await runCommand(['--state', state, 'backup', path.join(state, 'backup')]);
    expect([inside.code, inside.stderr]).toEqual([2, expect.stringContaining('within the state')]);
    const nowhere = await runCommand(['--state', path.join(folder, 'no'), 'backup', `${to}2`]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('no workspace')]);
    expect(readdirSync(path.dirname(to))).toEqual(['backup']);

    const restored = path.join(folder, 'restored');
    cpSync(to, restored, { recursive: true });
    const copy = await startServer({ state: restored });
    const other = new HttpClient(copy.url);
    await checkListed(other, ledger);
    other.close();
    await copy.stop();
    const used = await verify(restored);
    expect([used.code, used.stdout]).toEqual([1, expect.stringContaining('has run in this')]);

    expect((await verify(to)).code).toBe(0);
    writeFileSync(path.join(to, 'format.json'), '{}');
    rmSync(path.join(to, 'auth.key'));
    const damaged = await verify(to);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toContain('missing  auth.key\nchanged  format.json');
    const none = await verify(folder);
    expect([none.code, await verify(state)]).toMatchObject([2, { code: 2 }]);
  },
  MINUTES_5,
);
