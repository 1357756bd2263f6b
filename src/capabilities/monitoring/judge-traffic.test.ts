import { expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { judgeTraffic } from './judge-traffic.ts';
import { DAY_MICROS } from './periods.ts';
import { latencyQuantile, type Slice } from './slice.ts';

function slice(day: number, requests: number, errors = 0): Slice {
  const period = { from: micros(day * DAY_MICROS), until: micros((day + 1) * DAY_MICROS) };
  return { ...period, version: 1, requests, errors, latency: [], rows: requests, columns: {} };
}

function judged(today: Slice | null, usual = 1000) {
  const slices = [0, 1, 2, 3].map((day) => slice(day, usual, usual / 500));
  const span = { from: micros(4 * DAY_MICROS), until: micros(5 * DAY_MICROS) };
  const [traffic, errors] = judgeTraffic({
    ...span,
    slices: [...slices, ...(today ? [today] : [])],
  });
  return { traffic: traffic!, errors: errors! };
}

it('compares with earlier days', () => {
  const { traffic, errors } = judged(slice(4, 1100, 3));
  expect(traffic).toMatchObject({ state: 'ok', value: 1100, reference: 1000, days: 4 });
  expect(errors).toMatchObject({ state: 'ok', reference: 0.002 });
});

it('is an alert when nothing comes any more, a warning when little does', () => {
  expect(judged(null).traffic).toMatchObject({ state: 'alert', value: 0 });
  expect(judged(slice(4, 200)).traffic).toMatchObject({ state: 'warn', isBreach: true });
  expect(judged(null, 5).traffic).toMatchObject({ state: 'no_data' });
});

it('tells of failing requests by how many there are', () => {
  expect(judged(slice(4, 1000, 30)).errors).toMatchObject({ state: 'warn', isBreach: true });
  expect(judged(slice(4, 1000, 300)).errors).toMatchObject({ state: 'alert' });
  // One of ten may be chance.
  expect(judged(slice(4, 10, 1)).errors).toMatchObject({ state: 'ok' });
});

it('reads quantiles of durations from several slices within an eighth of an octave', () => {
  const of = (us: number, count: number): Slice => {
    const latency = Array.from({ length: 240 }, () => 0);
    latency[Math.floor(Math.log2(us) * 8)] = count;
    return { ...slice(0, count), latency };
  };
  const slices = [of(1000, 90), of(20_000, 10)];
  expect(latencyQuantile(slices, 0.5)! / 1000).toBeCloseTo(1, 0);
  expect(latencyQuantile(slices, 0.99)! / 20_000).toBeCloseTo(1, 0);
  expect(latencyQuantile([], 0.5)).toBeNull();
});
