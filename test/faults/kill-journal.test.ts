import { describe, expect, test } from 'vitest';
import { killMainAt, usePreparedLives } from './kill-main.ts';
import { pointsOf, SEEDS } from './life.ts';
import { Seeded } from './seeded.ts';
import { startServer } from './server-process.ts';
import { isOverIn } from './traffic.ts';

const MINUTES_5 = 300_000;
/** Hits up to which a seed chooses: early ones fall into the start, later ones into traffic. */
const WRITES_MAX = 120;
const SEGMENTS_MAX = 6;

const life = usePreparedLives();

describe('answered requests survive main killed while it writes the journal', () => {
  test.each(pointsOf('journal'))(
    'at %s',
    async (point) => {
      const hitsMax = point.startsWith('journal.segment') ? SEGMENTS_MAX : WRITES_MAX;
      await killMainAt(life(point), point, { hitsMax, mostly: 'flush' });
    },
    MINUTES_5,
  );

  test(
    'at any time',
    async () => {
      const killed = life('random');
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const random = new Seeded(seed);
        const server = await startServer({ state: killed.state });
        const over = isOverIn(random.int(0, 500));
        const isOver = (): boolean => {
          if (over()) server.kill();
          return over();
        };
        const mostly = random.pick(['flush', 'route', 'model'] as const);
        await killed.drive(server, random, { mostly, isOver });
        expect((await server.exited).signal).toBe('SIGKILL');
        await killed.checkFiles();
      }
      await killed.end();
    },
    MINUTES_5,
  );
});
