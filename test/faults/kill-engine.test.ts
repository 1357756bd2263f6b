import { describe, expect, test } from 'vitest';
import { HttpClient } from './http-client.ts';
import { usePreparedLives } from './kill-main.ts';
import { pointsOf, SEEDS, type Life } from './life.ts';
import { checkListed } from './listed-predictions.ts';
import { Seeded } from './seeded.ts';
import { startServer, until, type Server } from './server-process.ts';
import { isOverIn } from './traffic.ts';
import { systemClock } from '../../src/platform/system.ts';

const MINUTES_5 = 300_000;
/** More deaths than five in a minute pause the engine, which is a test of its own. */
const DEATHS_PER_START = 5;
/**
 * More than one flush comes to: what is sent again to the next engine gets through, and that one
 * dies later.
 */
const HITS = { least: 5, most: 9 };
const REACH_MS_MAX = 20_000;

const life = usePreparedLives();

interface EngineStatus {
  readonly state: string;
  readonly pid: number | null;
  readonly restarts: number;
}

async function engine(client: HttpClient): Promise<EngineStatus> {
  return (await client.json<{ engine: EngineStatus }>('GET', '/api/v1/status')).engine;
}

/**
 * Drives traffic until the engine has died once more, and on for a moment; every answer on the way
 * was right, or the traffic itself would have failed.
 */
async function untilDeath(
  killed: Life,
  on: { readonly server: Server; readonly client: HttpClient; readonly random: Seeded },
): Promise<void> {
  const { server, client, random } = on;
  const before = (await engine(client)).restarts;
  let restarts = before;
  let over = isOverIn(REACH_MS_MAX);
  const watch = async (): Promise<void> => {
    while (restarts === before && !over()) restarts = (await engine(client)).restarts;
    over = isOverIn(random.int(0, 200));
  };
  const traffic = killed.drive(server, random, { mostly: 'flush', isOver: () => over() });
  await Promise.all([watch(), traffic]);
  expect(restarts, 'the point was never reached').toBeGreaterThan(before);
}

describe('answers go on and the flush catches up when the engine is killed', () => {
  test.each(pointsOf('engine'))(
    'at %s',
    async (point) => {
      const killed = life(point);
      for (let seed = 1; seed <= SEEDS;) {
        const hits = new Seeded(seed).int(HITS.least, HITS.most);
        const env = { MILLWRIGHT_FAULT: `${point}:${hits}` };
        const server = await startServer({ state: killed.state, env });
        const client = new HttpClient(server.url);
        for (let death = 1; death <= DEATHS_PER_START && seed <= SEEDS; death += 1, seed += 1) {
          await untilDeath(killed, { server, client, random: new Seeded(seed) });
        }
        client.close();
        // The next start finds the folder as main's death leaves it, whatever the engine was doing.
        server.kill();
        await server.exited;
        await killed.checkFiles();
      }
      await killed.end();
    },
    MINUTES_5,
  );

  test(
    'at any time',
    async () => {
      const killed = life('random');
      for (let seed = 1; seed <= SEEDS;) {
        const server = await startServer({ state: killed.state });
        const client = new HttpClient(server.url);
        for (let death = 1; death <= DEATHS_PER_START && seed <= SEEDS; death += 1, seed += 1) {
          const random = new Seeded(seed);
          const over = isOverIn(random.int(20, 400));
          await killed.drive(server, random, { mostly: 'flush', isOver: over });
          const { pid } = await engine(client);
          if (pid !== null) process.kill(pid, 'SIGKILL');
        }
        await checkListed(client, killed.ledger);
        client.close();
        expect(await server.stop()).toEqual({ code: 0, signal: null });
        await killed.checkFiles();
      }
      await killed.end();
    },
    MINUTES_5,
  );
});

test(
  'an engine that dies on every flush is paused, and the next start catches up',
  async () => {
    const killed = life('broken');
    const env = { MILLWRIGHT_FAULT: 'flush.before-append:1' };
    const server = await startServer({ state: killed.state, env });
    const client = new HttpClient(server.url);
    const random = new Seeded(1);
    let state = '';
    const start = systemClock.elapsed();
    const watch = async (): Promise<void> => {
      while (state !== 'broken' && systemClock.elapsed() - start < REACH_MS_MAX) {
        state = (await engine(client)).state;
      }
    };
    const isOver = (): boolean => state === 'broken';
    await Promise.all([watch(), killed.drive(server, random, { mostly: 'flush', isOver })]);
    const health = await client.json<{ status: string }>('GET', '/health');
    expect(health.status).toBe('degraded');
    await killed.drive(server, random, { mostly: 'flush', isOver: isOverIn(500) });
    await until('the pause is over', async () => (await engine(client)).state !== 'broken');
    await killed.drive(server, random, { mostly: 'flush', isOver: isOverIn(500) });
    client.close();
    await server.stop();
    await killed.checkFiles();
    await killed.end();
  },
  MINUTES_5,
);
