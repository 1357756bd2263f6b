import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { micros, type Micros } from '../../src/base/time.ts';
import { FLIGHT_TABLES } from '../../src/capabilities/features/flights-definitions.ts';
import type { DeclaredLabel } from '../../src/capabilities/predictions/declared-labels.ts';
import { entryFile, processEnv, sleep } from '../../src/platform/system.ts';
import { ndjson, openLake, type Lake } from '../contracts/lake.ts';
import { landing, LANDINGS, type Landing } from '../contracts/landings.ts';
import { NOW } from '../contracts/online-rig.ts';
import { pointsOf } from './life.ts';
import { Seeded } from './seeded.ts';

/** kill -9 at any moment of joining labels: each request has the changes of its rows, each once. */

const PROGRAM = entryFile(import.meta.url, './labels-process');
const MINUTE = 60_000_000;
const MINUTES_5 = 300_000;
/** Of the flights, those that were asked about. */
const REQUESTS = 300;
const FLIGHTS = 400;

const LATE: DeclaredLabel = {
  name: 'late',
  endpoint: 'late',
  table: LANDINGS,
  idColumn: 'flight_id',
  timeColumn: 'landed_at',
  valueColumn: 'late',
  matureMicros: 30 * 24 * 60 * MINUTE,
};

class Joining {
  readonly lake: Lake;
  readonly #root: string;
  readonly #random: Seeded;
  readonly #landed: Landing[] = [];

  constructor(lake: Lake, random: Seeded) {
    this.lake = lake;
    this.#root = path.dirname(lake.folder);
    this.#random = random;
  }

  /** Rows of few flights, so that many correct a former one. */
  async land(count: number): Promise<void> {
    const rows = Array.from({ length: count }, () =>
      landing({
        id: this.#random.int(0, FLIGHTS - 1),
        time: NOW - this.#random.int(0, 24 * 60) * MINUTE,
        origin: 'ORD',
        destination: 'LGA',
        delay: this.#random.int(0, 30),
      }),
    );
    this.#landed.push(...rows);
    await this.lake.tables.append({ ...LANDINGS, ndjson: ndjson(...rows) });
  }

  /** The last requests come later than their rows. */
  async start(options: { readonly fault?: string; readonly requests?: number } = {}) {
    const { fault, requests = REQUESTS } = options;
    const what: [DeclaredLabel, Micros, number] = [LATE, micros(NOW), requests];
    const child = spawn(process.execPath, [PROGRAM, this.#root, JSON.stringify(what)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...processEnv, ...(fault === undefined ? {} : { MILLWRIGHT_FAULT: fault }) },
    });
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    await Promise.race([once(child.stdout, 'data'), exited]);
    return { child, exited };
  }

  async loseStore(): Promise<void> {
    await rm(path.join(this.#root, 'online'), { recursive: true, force: true });
  }

  async check(): Promise<void> {
    const expected = new Map<string, string[]>();
    for (const { flight_id: id, late } of this.#landed) {
      if (id >= REQUESTS) continue;
      const values = expected.get(`req_${id}`) ?? [];
      if (values.at(-1) !== String(late)) values.push(String(late));
      expected.set(`req_${id}`, values);
    }
    const { rows } = await this.lake.tables.find(
      { namespace: 'labels', name: 'late' },
      { where: [], columns: ['request_id', 'value', 'seq'], limit: 100_000 },
    );
    const sorted = rows.toSorted((a, b) => Number(a[2]) - Number(b[2]));
    expect(sorted.map(([, , seq]) => seq)).toEqual(sorted.map((_, index) => index + 1));
    const found = Map.groupBy(sorted, ([id]) => String(id));
    const values = new Map([...found].map(([id, own]) => [id, own.map(([, value]) => value)]));
    expect(values).toEqual(expected);
  }
}

async function joining(seed: number): Promise<Joining> {
  const lake = await openLake();
  await lake.tables.create(LANDINGS, FLIGHT_TABLES.landings);
  return new Joining(lake, new Seeded(seed));
}

test.each(pointsOf('labels'))(
  'at %s',
  async (point) => {
    const it = await joining(7);
    for (let round = 0; round < 5; round += 1) {
      for (let batch = 0; batch < 3; batch += 1) await it.land(60);
      if (round === 3) await it.loseStore();
      const requests = round < 2 ? REQUESTS / 2 : REQUESTS;
      const { exited } = await it.start({ fault: `${point}:1`, requests });
      expect(await exited).toEqual([null, 'SIGKILL']);
    }
    expect(await (await it.start()).exited).toEqual([0, null]);
    await it.check();
  },
  MINUTES_5,
);

test(
  'at any time',
  async () => {
    const random = new Seeded(1);
    const it = await joining(2);
    let kills = 0;
    for (let round = 0; round < 8; round += 1) {
      await it.land(1500);
      const { child, exited } = await it.start();
      await sleep(random.int(0, 60));
      child.kill('SIGKILL');
      const [code] = await exited;
      if (code === null) kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    expect(await (await it.start()).exited).toEqual([0, null]);
    await it.check();
  },
  MINUTES_5,
);
