import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, micros, MICROS_PER_SECOND } from '../../../base/time.ts';
import type { TrafficPoint } from '../../predictions/contract.ts';
import { errorTone, sumTraffic, TRAFFIC_SECONDS, trafficSeries } from './traffic.ts';

const END = 983_426_400;

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
    back: fc.integer({ min: 0, max: TRAFFIC_SECONDS - 1 }),
    endpoint: fc.constantFrom('late', 'churn', 'fraud'),
    modelVersion: fc.integer({ min: 1, max: 4 }),
    requests: fc.integer({ min: 1, max: 1000 }),
  })
  .map(({ back, ...more }) => point(back, more));

describe('trafficSeries', () => {
  it('draws every request of the window once, however few series are allowed', () => {
    fc.assert(
      fc.property(fc.array(anyPoint), fc.integer({ min: 1, max: 14 }), (points, limit) => {
        const series = trafficSeries(points, { end: END, limit });
        const drawn = series.flatMap(({ counts }) => counts).reduce((a, b) => a + b, 0);
        expect(drawn).toBe(points.reduce((sum, { requests }) => sum + requests, 0));
        expect(series.length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('puts each second where it belongs and zero where nothing came', () => {
    const [series] = trafficSeries([point(0, { requests: 5 }), point(599)], { end: END, limit: 8 });
    expect(series?.counts.length).toBe(600);
    expect([series?.counts[0], series?.counts[1], series?.counts[599]]).toEqual([1, 0, 5]);
  });

  it('leaves out what is older than the window', () => {
    expect(trafficSeries([point(600)], { end: END, limit: 8 })).toEqual([]);
  });

  it('names the busiest and adds up the rest', () => {
    const points = [3, 9, 1, 5].map((requests, i) => point(1, { modelVersion: i + 1, requests }));
    const series = trafficSeries(points, { end: END, limit: 3 });
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
