import { describe, test } from 'vitest';
import { killMainAt, usePreparedLives } from './kill-main.ts';
import { pointsOf } from './life.ts';

const MINUTES_5 = 300_000;
const CHANGES_MAX = 3;

const life = usePreparedLives();

describe('a change that was answered survives main killed', () => {
  test.each(pointsOf('change'))(
    'at %s',
    async (point) => {
      const mostly = point.startsWith('route.') ? 'route' : 'model';
      await killMainAt(life(point), point, { hitsMax: CHANGES_MAX, mostly });
    },
    MINUTES_5,
  );
});
