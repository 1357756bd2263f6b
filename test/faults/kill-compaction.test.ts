import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryFile, processEnv, sleep } from '../../src/platform/system.ts';
import { python } from '../conformance/python.ts';
import { openLake, type Lake } from '../contracts/lake.ts';
import { pointsOf } from './life.ts';
import { Seeded } from './seeded.ts';

/** kill -9 at any moment of a merge: every version keeps its rows, once, for whoever reads it. */

const PROGRAM = entryFile(import.meta.url, './compaction-process');
const REF = { namespace: 'lab', name: 'rows' };
/** With one more append there is enough to merge. */
const PREPARED = 319;
const MINUTES_5 = 300_000;
const WITH_ALL = { offset: 0, limit: 10_000 };

let root: string;
let prepared: string;
/** Which version each row came with, as the process said it. */
const versionOf = new Map<number, number>();

interface Appended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly versions: ReadonlyMap<number, number>;
}

/** Appends rows `[first, end)`, until the process is done or killed. */
async function append(
  lake: string,
  rows: { readonly first: number; readonly end: number },
  by: { readonly fault?: string; readonly killAfterMs?: number } = {},
): Promise<Appended> {
  const { fault, killAfterMs } = by;
  const child = spawn(process.execPath, [PROGRAM, lake, String(rows.first), String(rows.end)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...processEnv, ...(fault === undefined ? {} : { MILLWRIGHT_FAULT: fault }) },
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  if (killAfterMs !== undefined) {
    await Promise.race([once(child.stdout, 'data'), closed]);
    await sleep(killAfterMs);
    child.kill('SIGKILL');
  }
  const [code, signal] = await closed;
  const lines = said.split('\n').filter((line) => /^\d+ \d+$/.test(line));
  const versions = lines.map((line) => line.split(' ').map(Number) as [number, number]);
  return { code, signal, versions: new Map(versions) };
}

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-compaction-'));
  prepared = path.join(root, 'lake');
  mkdirSync(prepared);
  const { code, versions } = await append(prepared, { first: 0, end: PREPARED });
  expect(code).toBe(0);
  for (const [id, version] of versions) versionOf.set(id, version);
}, MINUTES_5);

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

async function openPrepared(): Promise<Lake> {
  const lake = await openLake();
  cpSync(prepared, lake.folder, { recursive: true });
  return lake;
}

async function idsAt(lake: Lake, version?: number): Promise<readonly number[]> {
  const at = version === undefined ? WITH_ALL : { ...WITH_ALL, version };
  const { rows } = await lake.another().rows(REF, at);
  return rows.map(([id]) => Number(id));
}

/** Versions hold exactly the rows appended by then; who follows the table gets each once. */
async function check(
  lake: Lake,
  known: ReadonlyMap<number, number>,
  random: Seeded,
): Promise<void> {
  const tables = lake.another();
  const { version: newest } = await tables.describe(REF);
  const all = [...(await idsAt(lake))].toSorted((a, b) => a - b);
  expect(new Set(all).size, 'no row is there twice').toBe(all.length);
  expect(
    [...known.keys()].filter((id) => !all.includes(id)),
    'rows lost',
  ).toEqual([]);
  const versions = [1, newest - 1, newest, ...[1, 2, 3, 4].map(() => random.int(1, newest))];
  for (const version of versions) {
    const ids = await idsAt(lake, version);
    const expected = all.filter((id) => (known.get(id) ?? newest) <= version);
    expect(
      ids.toSorted((a, b) => a - b),
      `version ${version}`,
    ).toEqual(expected);
  }
  for (const version of [0, random.int(1, newest - 1)]) {
    const additions = await tables.additionsAfter(REF, { version, limit: 10_000 });
    const files = additions!.flatMap(({ files: added }) => added);
    const { columns } = await tables.files(REF);
    const page = { columns, offset: 0, limit: 10_000, files };
    const followed = (await lake.analytics.scan(page)).map(([id]) => Number(id));
    const later = all.filter((id) => (known.get(id) ?? newest) > version);
    expect(followed, `followed from ${version}`).toEqual(later);
  }
}

const COUNT = `
import sys
from deltalake import DeltaTable
for version in [int(text) for text in sys.argv[2:]]:
    print(DeltaTable(sys.argv[1], version=version).to_pyarrow_table().num_rows)
`;

/** As delta-rs counts them. */
async function countedAt(lake: Lake, versions: readonly number[]): Promise<readonly number[]> {
  const table = path.join(lake.folder, REF.namespace, REF.name);
  const text = await python(COUNT, { args: [table, ...versions.map(String)] });
  return text.trim().split('\n').map(Number);
}

async function merges(lake: Lake): Promise<number> {
  const history = await lake.another().history(REF, { limit: 2000 });
  return history.filter(({ operation }) => operation === 'OPTIMIZE').length;
}

test.each(pointsOf('compaction'))(
  'at %s',
  async (point) => {
    const lake = await openPrepared();
    const random = new Seeded(3);
    const known = new Map(versionOf);
    const killed = await append(
      lake.folder,
      { first: PREPARED, end: PREPARED + 400 },
      { fault: `${point}:1` },
    );
    expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
    for (const [id, version] of killed.versions) known.set(id, version);
    expect(await merges(lake)).toBe(point === 'compaction.after-commit' ? 1 : 0);
    await check(lake, known, random);

    const first = Math.max(...known.keys()) + 1;
    const next = await append(lake.folder, { first, end: first + 30 });
    expect(next.code).toBe(0);
    // The row under way when it was killed may have been in: its number was not new.
    for (const [id, version] of next.versions) known.set(id, version);
    expect(await merges(lake)).toBe(1);
    await check(lake, known, random);
    const { version } = await lake.another().describe(REF);
    const rows = known.size;
    expect(await countedAt(lake, [version, 100])).toEqual([rows, 100]);
  },
  MINUTES_5,
);

test(
  'at any time',
  async () => {
    const lake = await openPrepared();
    const random = new Seeded(5);
    const known = new Map(versionOf);
    for (let round = 0; round < 10; round += 1) {
      const first = Math.max(...known.keys()) + 1;
      const by = { killAfterMs: random.int(0, 300) };
      const { versions } = await append(lake.folder, { first, end: first + 400 }, by);
      for (const [id, version] of versions) known.set(id, version);
      await check(lake, known, random);
    }
    expect(await merges(lake)).toBeGreaterThan(0);
  },
  MINUTES_5,
);
