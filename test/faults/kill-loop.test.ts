import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryFile, processEnv, sleep } from '../../src/platform/system.ts';
import { pointsOf } from './life.ts';
import { Seeded } from './seeded.ts';

/** kill -9 at every step of a loop: it resumes to the same decisions, and acts once. */

const PROGRAM = entryFile(import.meta.url, './loop-process');
const MINUTES_5 = 300_000;
/** The whole course has more decisions than this, and a few starts and deployments. */
const HITS: Readonly<Record<string, readonly number[]>> = {
  'loop.before-decision': [1, 4, 9, 17],
  'loop.after-decision': [1, 4, 9, 17],
  'loop.after-start': [1, 3],
  'loop.after-deploy': [1, 2],
};

let root: string;
let undisturbed: unknown;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-kill-loop-'));
  undisturbed = await toTheEnd(place());
}, MINUTES_5);
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function place(): string {
  return mkdtempSync(path.join(root, 'life-'));
}

function started(folder: string, fault = '') {
  const child = spawn(process.execPath, [PROGRAM, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...processEnv, MILLWRIGHT_FAULT: fault },
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, closed, said: () => Buffer.concat(said).toString() };
}

async function toTheEnd(folder: string): Promise<unknown> {
  const { closed, said } = started(folder);
  expect(await closed).toEqual([0, null]);
  return JSON.parse(said());
}

test.each(pointsOf('loop').flatMap((point) => (HITS[point] ?? [1]).map((hit) => ({ point, hit }))))(
  'at $point, hit $hit',
  async ({ point, hit }) => {
    const folder = place();
    const [code, signal] = await started(folder, `${point}:${hit}`).closed;
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    expect(await toTheEnd(folder)).toEqual(undisturbed);
  },
  MINUTES_5,
);

test(
  'at any time, again and again',
  async () => {
    const random = new Seeded(5);
    const folder = place();
    let kills = 0;
    for (let round = 0; round < 12; round += 1) {
      const { child, closed } = started(folder);
      await sleep(random.int(200, 900));
      child.kill('SIGKILL');
      if ((await closed)[1] === 'SIGKILL') kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    expect(await toTheEnd(folder)).toEqual(undisturbed);
  },
  MINUTES_5,
);
