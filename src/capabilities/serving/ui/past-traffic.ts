import { versionColor } from '../../../web/kit/version-color.ts';
import { chartTime } from '../../../web/kit/day-axis.ts';
import type { PastTraffic } from '../../predictions/contract.ts';

export type Measure = 'requests' | 'errors' | 'p50' | 'p99';
export type Grouping = 'version' | 'arm';

/** What one version, or one arm, answered during one stretch. */
export interface PastCell {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface PastSeries {
  /** `v3`, or an arm's name. */
  readonly name: string;
  /** Null for an arm. */
  readonly version: number | null;
  readonly color: string | null;
  /** One for each of the starts, null where it answered nothing. */
  readonly cells: readonly (PastCell | null)[];
}

export interface PastChart {
  /** Stretches in which anything was answered, oldest first; milliseconds since 1970. */
  readonly starts: readonly number[];
  readonly series: readonly PastSeries[];
}

/**
 * One series a version or arm. Where several rows of a stretch come together, requests add up and
 * the slowest tells the latency: quantiles do not add up.
 */
export function pastChart(items: readonly PastTraffic[], by: Grouping): PastChart {
  const starts = [...new Set(items.map(({ from }) => chartTime(from)))].toSorted((a, b) => a - b);
  const groups = Map.groupBy(items, ({ modelVersion, arm }) =>
    by === 'version' ? `v${modelVersion}` : arm,
  );
  const series = [...groups].map(([name, own]) => {
    const version = by === 'version' ? own[0]!.modelVersion : null;
    const stretches = Map.groupBy(own, ({ from }) => chartTime(from));
    return {
      name,
      version,
      color: version === null ? null : versionColor(version),
      cells: starts.map((start) => {
        const rows = stretches.get(start);
        return rows === undefined ? null : { start, ...summed(rows) };
      }),
    };
  });
  return { starts, series: series.toSorted((a, b) => (a.version ?? 0) - (b.version ?? 0)) };
}

function summed(rows: readonly PastTraffic[]): Omit<PastCell, 'start'> {
  const sum = (of: (row: PastTraffic) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  return {
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    p50Us: Math.max(...rows.map(({ p50Us }) => p50Us)),
    p99Us: Math.max(...rows.map(({ p99Us }) => p99Us)),
  };
}

/** The number drawn: requests, percent, or milliseconds. */
export function measured(cell: PastCell, measure: Measure): number {
  switch (measure) {
    case 'requests':
      return cell.requests;
    case 'errors':
      return (100 * cell.errors) / cell.requests;
    case 'p50':
      return cell.p50Us / 1000;
    case 'p99':
      return cell.p99Us / 1000;
  }
}
