import { MICROS_PER_SECOND, parseInstant } from '../../base/time.ts';
import type { TrafficPoint } from '../../capabilities/predictions/contract.ts';

/** Seconds of domain time that the traffic route reports: ten minutes. */
export const TRAFFIC_SECONDS = 600;
/** Rates and latencies are those of the newest part, so that they follow what happens now. */
export const RECENT_SECONDS = 60;

/** A whole second of domain time, counted from 1970. */
export function secondOf(instant: string): number {
  return Math.floor((parseInstant(instant) ?? 0) / MICROS_PER_SECOND);
}

export interface TrafficSum {
  readonly requests: number;
  readonly errors: number;
  /** Requests a second over the last RECENT_SECONDS. */
  readonly rate: number;
  /** The highest one-second p99 in the last RECENT_SECONDS; null without traffic in them. */
  readonly worstP99Us: number | null;
}

/** Above this share of failing requests something is broken rather than somebody mistaken. */
const ERRORS_BAD_SHARE = 0.01;

export function errorTone({ errors, requests }: TrafficSum): 'good' | 'warn' | 'bad' {
  if (errors === 0) return 'good';
  return errors > requests * ERRORS_BAD_SHARE ? 'bad' : 'warn';
}

/** Adds points up; `end` is the second the window ends with. */
export function sumTraffic(points: readonly TrafficPoint[], end: number): TrafficSum {
  const recent = points.filter(({ now }) => secondOf(now) > end - RECENT_SECONDS);
  return {
    requests: total(points, 'requests'),
    errors: total(points, 'errors'),
    rate: total(recent, 'requests') / RECENT_SECONDS,
    worstP99Us: recent.length === 0 ? null : Math.max(...recent.map(({ p99Us }) => p99Us)),
  };
}

function total(points: readonly TrafficPoint[], count: 'requests' | 'errors'): number {
  return points.reduce((sum, point) => sum + point[count], 0);
}

/** Seconds that one point of the chart stands for; single ones are noise, and finer than pixels. */
const BIN_SECONDS = 5;

/** A stretch of domain time. */
export interface TrafficBin {
  /** Its first second. */
  readonly start: number;
  /** Its length: BIN_SECONDS, or what has passed of the running one. */
  readonly seconds: number;
}

export interface TrafficSeries {
  readonly name: string;
  /** Null for several added up. */
  readonly version: number | null;
  /** Requests in each bin, oldest first. */
  readonly counts: readonly number[];
}

export interface TrafficChart {
  readonly bins: readonly TrafficBin[];
  readonly series: readonly TrafficSeries[];
}

/**
 * One series for each endpoint and version, busiest first; past `limit` the quiet ones are added up
 * as the last. Bins without a point had no requests. They start at multiples of their length, so
 * that a picture drawn again a second later changes at its end only; what lies before the first
 * whole bin of the window is left out.
 */
export function trafficChart(
  points: readonly TrafficPoint[],
  { end, limit }: { readonly end: number; readonly limit: number },
): TrafficChart {
  const bins = binsUntil(end);
  const start = bins[0]?.start ?? end;
  const inside = points.filter(({ now }) => secondOf(now) >= start && secondOf(now) <= end);
  const byName = Map.groupBy(
    inside,
    ({ endpoint, modelVersion }) => `${endpoint} v${modelVersion}`,
  );
  const busiestFirst = [...byName].sort(
    ([, a], [, b]) => total(b, 'requests') - total(a, 'requests'),
  );
  const kept = busiestFirst.length <= limit ? busiestFirst : busiestFirst.slice(0, limit - 1);
  const rest = busiestFirst.slice(kept.length);
  const named = kept.map(([name, own]) => ({
    name,
    version: own[0]?.modelVersion ?? null,
    counts: countsIn(bins, own),
  }));
  if (rest.length === 0) return { bins, series: named };
  const quiet = rest.flatMap(([, own]) => own);
  return {
    bins,
    series: [
      ...named,
      { name: `${rest.length} others`, version: null, counts: countsIn(bins, quiet) },
    ],
  };
}

/** The whole bins of the window that ends with this second, and the running one. */
function binsUntil(end: number): readonly TrafficBin[] {
  const first = Math.ceil((end - TRAFFIC_SECONDS + 1) / BIN_SECONDS);
  const last = Math.floor(end / BIN_SECONDS);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const start = (first + index) * BIN_SECONDS;
    return { start, seconds: Math.min(BIN_SECONDS, end - start + 1) };
  });
}

function countsIn(bins: readonly TrafficBin[], points: readonly TrafficPoint[]): readonly number[] {
  const counts = bins.map(() => 0);
  const start = bins[0]?.start ?? 0;
  for (const point of points) {
    const index = Math.floor((secondOf(point.now) - start) / BIN_SECONDS);
    counts[index] = (counts[index] ?? 0) + point.requests;
  }
  return counts;
}
