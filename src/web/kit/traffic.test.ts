import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, micros, MICROS_PER_SECOND } from '../../base/time.ts';
import type { TrafficPoint } from '../../capabilities/predictions/contract.ts';
import { errorTone, sumTraffic, trafficChart } from './traffic.ts';

const END = 983_426_400;
/** END is a multiple of the bins' length, so the first whole bin starts this long before it. */
const OLDEST_DRAWN = 595;

function point(secondsBack: number, more: Partial<TrafficPoint> = {}): TrafficPoint {
  return {
    now: formatInstant(micros((END - secondsBack) * MICROS_PER_SECOND)),
    endpoint: 'late',
    modelVersion: 1,
    requests: 1,
    errors: 0,
    p50Us: 100,
    p99Us: 200,
    ...more,
  };
}

const anyPoint = fc
  .record({
    back: fc.integer({ min: 0, max: OLDEST_DRAWN }),
    endpoint: fc.constantFrom('late', 'churn', 'fraud'),
    modelVersion: fc.integer({ min: 1, max: 4 }),
    requests: fc.integer({ min: 1, max: 1000 }),
  })
  .map(({ back, ...more }) => point(back, more));

describe('trafficChart', () => {
  it('draws every request of the window once, however few series are allowed', () => {
    fc.assert(
      fc.property(fc.array(anyPoint), fc.integer({ min: 1, max: 14 }), (points, limit) => {
        const { series } = trafficChart(points, { end: END, limit });
        const drawn = series.flatMap(({ counts }) => counts).reduce((a, b) => a + b, 0);
        expect(drawn).toBe(points.reduce((sum, { requests }) => sum + requests, 0));
        expect(series.length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('covers ten minutes without gap or overlap, the running bin as long as it is old', () => {
    fc.assert(
      fc.property(fc.integer({ min: END, max: END + 1000 }), (end) => {
        const { bins } = trafficChart([], { end, limit: 8 });
        for (const [index, bin] of bins.slice(1).entries()) {
          expect(bins[index]!.start + bins[index]!.seconds).toBe(bin.start);
        }
        const [first, last] = [bins[0]!, bins.at(-1)!];
        expect(last.start + last.seconds).toBe(end + 1);
        expect(first.start).toBeGreaterThan(end - 600);
        expect(first.start).toBeLessThan(end - 595 + 1);
      }),
    );
  });

  it('puts each second into its bin and zero where nothing came', () => {
    const points = [point(0, { requests: 5 }), point(1), point(595, { requests: 7 })];
    const { series, bins } = trafficChart(points, { end: END, limit: 8 });
    const counts = series[0]?.counts ?? [];
    expect(bins.length).toBe(counts.length);
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([7, 0, 1, 5]);
  });

  it('leaves out what is older than the window', () => {
    expect(trafficChart([point(596), point(600)], { end: END, limit: 8 }).series).toEqual([]);
  });

  it('names the busiest and adds up the rest', () => {
    const points = [3, 9, 1, 5].map((requests, i) => point(1, { modelVersion: i + 1, requests }));
    const { series } = trafficChart(points, { end: END, limit: 3 });
    expect(series.map(({ name }) => name)).toEqual(['late v2', 'late v4', '2 others']);
  });
});

describe('sumTraffic', () => {
  it('takes rate and latency from the last minute and counts from all ten', () => {
    const points = [
      point(0, { requests: 60, p99Us: 300 }),
      point(59, { requests: 60, p99Us: 900 }),
      point(60, { requests: 600, errors: 6, p99Us: 5000 }),
    ];
    expect(sumTraffic(points, END)).toEqual({
      requests: 720,
      errors: 6,
      rate: 2,
      worstP99Us: 900,
    });
  });

  it('knows no latency when nothing came lately', () => {
    expect(sumTraffic([point(100)], END).worstP99Us).toBeNull();
  });
});

it('alarms at errors above one in a hundred, and warns below', () => {
  const tone = (errors: number): string =>
    errorTone({ requests: 1000, errors, rate: 0, worstP99Us: null });
  expect([0, 1, 10, 11].map(tone)).toEqual(['good', 'warn', 'warn', 'bad']);
});
