import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FLIGHT_TABLES } from '../../src/capabilities/features/flights-definitions.ts';
import { FeatureIngest } from '../../src/capabilities/features/ingest.ts';
import { readWatermark, readCatalog } from '../../src/capabilities/features/tiles-catalog.ts';
import { storedTiles } from '../../src/capabilities/features/tiles-content.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import { openLmdbReader } from '../../src/platform/kv/lmdb.ts';
import { MemoryKv } from '../../src/platform/kv/memory.ts';
import { entryFile, processEnv, sleep, systemClock } from '../../src/platform/system.ts';
import { ndjson, openLake, type Lake } from '../contracts/lake.ts';
import { flightService, landing, LANDINGS, type Landing } from '../contracts/landings.ts';
import { DAY, NOW } from '../contracts/online-rig.ts';
import { pointsOf } from './life.ts';
import { Seeded } from './seeded.ts';

/** kill -9 at any moment of an ingest: the tiles end up as a build from nothing makes them. */

const PROGRAM = entryFile(import.meta.url, './ingest-process');
const HOUR = DAY / 24;
const MINUTES_5 = 300_000;

async function started(root: string, fault?: string) {
  const env = { ...processEnv, ...(fault === undefined ? {} : { MILLWRIGHT_FAULT: fault }) };
  const child = spawn(process.execPath, [PROGRAM, root, String(NOW)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  // Where it begins; nothing comes of one that dies before.
  await Promise.race([once(child.stdout, 'data'), exited]);
  return { child, exited };
}

/** Late, corrected and doubled landings. */
function someLandings(random: Seeded, count: number): Landing[] {
  return Array.from({ length: count }, () =>
    landing({
      id: random.int(0, 4000),
      time: NOW - random.int(0, 30 * 24) * HOUR,
      origin: `A${random.int(0, 3)}`,
      destination: `A${random.int(0, 40)}`,
      delay: random.int(-30, 200),
    }),
  );
}

async function append(lake: Lake, rows: readonly Landing[]): Promise<void> {
  await lake.tables.append({ ...LANDINGS, ndjson: ndjson(...rows) });
}

/** Holds the whole content against a build of nothing but the tables. */
async function check(lake: Lake, root: string): Promise<void> {
  const fresh = new MemoryKv();
  const { tables, analytics } = lake;
  const deps = { tables, analytics, kv: fresh, clock: systemClock, faults: noFaults };
  const ingest = new FeatureIngest(deps);
  const input = { views: flightService().views, now: NOW };
  while (!(await ingest.run(input, new AbortController().signal)).done);
  const kept = await openLmdbReader(path.join(root, 'online'));
  const from = { from: NOW - 37 * DAY };
  expect(storedTiles(kept, from)).toEqual(storedTiles(fresh, from));
  const versions = readCatalog(kept)?.builds.map(({ id }) => readWatermark(kept, id)?.version);
  expect(versions).toEqual([(await tables.describe(LANDINGS)).version]);
  await kept.close();
}

async function rig(): Promise<{ readonly lake: Lake; readonly root: string }> {
  const lake = await openLake();
  mkdirSync(lake.folder, { recursive: true });
  await lake.tables.create(LANDINGS, FLIGHT_TABLES.landings);
  return { lake, root: path.dirname(lake.folder) };
}

test.each(pointsOf('ingest'))(
  'at %s',
  async (point) => {
    const { lake, root } = await rig();
    const random = new Seeded(7);
    const isFill = point === 'ingest.filled' || point === 'ingest.before-promote';
    for (let round = 0; round < 4; round += 1) {
      for (let batch = 0; batch < 3; batch += 1) await append(lake, someLandings(random, 400));
      // Only what is built anew is filled and promoted.
      if (isFill) await rm(path.join(root, 'online'), { recursive: true, force: true });
      const hit = isFill ? 1 : 1 + (round % 2);
      const { exited } = await started(root, `${point}:${hit}`);
      const [code, signal] = await exited;
      if (round === 0 || isFill) expect([code, signal]).toEqual([null, 'SIGKILL']);
    }
    expect(await (await started(root)).exited).toEqual([0, null]);
    await check(lake, root);
  },
  MINUTES_5,
);

test(
  'at any time',
  async () => {
    const { lake, root } = await rig();
    const random = new Seeded(1);
    let kills = 0;
    for (let round = 0; round < 8; round += 1) {
      for (let batch = 0; batch < 2; batch += 1) await append(lake, someLandings(random, 3000));
      const { child, exited } = await started(root);
      await sleep(random.int(0, 150));
      child.kill('SIGKILL');
      const [code] = await exited;
      if (code === null) kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    expect(await (await started(root)).exited).toEqual([0, null]);
    await check(lake, root);
  },
  MINUTES_5,
);
