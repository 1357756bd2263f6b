import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Life, SEEDS } from './life.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, tryStart, until } from './server-process.ts';
import { isOverIn, type Change } from './traffic.ts';

/** A point that is not reached in this time under this traffic is not reached at all. */
const REACH_MS_MAX = 20_000;

/** Lives of folders that start with a served endpoint, for the tests of one file. */
export function usePreparedLives(): (name: string) => Life {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'mw-faults-'));
    await prepareState(path.join(folder, 'prepared'), 3);
  });
  afterEach(killAll);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (name) => new Life(path.join(folder, 'prepared'), path.join(folder, name));
}

/** Main dies at the point, once a seed, and nothing it has acknowledged is lost or doubled. */
export async function killMainAt(
  life: Life,
  point: string,
  by: { readonly hitsMax: number; readonly mostly: Change },
): Promise<void> {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = new Seeded(seed);
    const fault = `${point}:${random.int(1, by.hitsMax)}`;
    const server = await tryStart({ state: life.state, env: { MILLWRIGHT_FAULT: fault } });
    if (server.url !== '') {
      await life.drive(server, random, { mostly: by.mostly, isOver: isOverIn(REACH_MS_MAX) });
    }
    await until(`seed ${seed} reaches ${fault}`, () => !server.isRunning, 2000);
    const said = `seed ${seed}, ${fault}: ${server.stderr}`;
    expect((await server.exited).signal, said).toBe('SIGKILL');
    await life.checkFiles();
  }
  await life.end();
}
