import {
  MonitorSpec,
  type Check,
  type ColumnHistory,
  type Evaluation,
  type MonitorDetail,
  type QualityHistory,
} from '../../src/capabilities/monitoring/contract.ts';
import { at, hex } from './fixture-values.ts';

/** What monitors found, as a fixture server answers it. */
export interface MonitorsFixture {
  readonly monitors: readonly MonitorDetail[];
  /** Newest first, with all checks. */
  readonly evaluations: readonly Evaluation[];
  readonly quality: QualityHistory;
  readonly columns: readonly ColumnHistory[];
}

const DAY = 86_400;
/** 2001-05-24: the fixture's domain time, days after a changed unit. */
const TODAY = 990_662_400;
export const DAYS = 60;
const dayAt = (back: number): string => at(TODAY - back * DAY);

/** A changed unit that ended yesterday, a drifted column, and a quality that holds. */
export function monitorsFixture(columns = 6): MonitorsFixture {
  const evaluations = Array.from({ length: DAYS }, (_, back) => evaluation(back, columns));
  const names = ['churn', 'late', 'price'];
  return {
    monitors: names.map((name) => monitor(name, name === 'late' ? evaluations[0]! : null)),
    evaluations,
    quality: quality(),
    columns: [distance(), origin(), { ...distance(), column: NAMES[3]! }],
  };
}

/** So many monitors that none can be found by looking. */
export function manyMonitors(count: number): MonitorsFixture {
  const one = monitorsFixture();
  const monitors = Array.from({ length: count }, (_, index) =>
    monitor(`endpoint_${index}`, one.evaluations[0]!),
  );
  return { ...one, monitors };
}

const OF_NOTHING = {
  version: null,
  isBreach: false,
  value: null,
  lower: null,
  upper: null,
  reference: null,
  threshold: null,
  rows: 1600,
  days: 1,
  since: null,
  until: null,
};

function evaluation(back: number, columns: number): Evaluation {
  const isChanged = back >= 1 && back <= 3;
  const since = at(TODAY - 4 * DAY + 6 * 3600);
  const unit: Check = {
    ...OF_NOTHING,
    kind: 'unit_change',
    subject: 'distance',
    state: isChanged ? 'alert' : 'ok',
    isBreach: isChanged,
    value: isChanged || back === 0 ? 1.609 : 1,
    reference: 1,
    since: isChanged || back === 0 ? since : null,
    until: back === 0 ? dayAt(1) : null,
    explanation: isChanged
      ? `distance is 1.609 times what it was for its key (951 of 951 keys that changed agree; miles to kilometres), since ${since}. A change of unit looks like this.`
      : `distance was 1.609 times what it was for its key, since ${since} until ${dayAt(1)}; it is as before now.`,
  };
  const drifts = Array.from({ length: columns }, (_, index) => drift(index, back));
  const checks = [traffic(), qualityCheck(back), labels(), unit, ...drifts];
  const states = checks.map(({ state }) => state);
  return {
    id: `eval_${hex(1000 + back, 32)}`,
    monitor: 'late',
    at: dayAt(back),
    versions: [{ model: 'late', version: 1, requests: 1600, errors: 3, p50Us: 1070, p99Us: 3300 }],
    checks,
    state: states.includes('alert') ? 'alert' : states.includes('warn') ? 'warn' : 'ok',
    seconds: 0.43,
  };
}

function traffic(): Check {
  const explanation = '1600 requests; on earlier days at this time 1683.';
  return { ...OF_NOTHING, kind: 'traffic', subject: '*', state: 'ok', value: 1600, explanation };
}

function labels(): Check {
  const explanation = '62 % of 11374 mature requests of 7 days have a label.';
  return {
    ...OF_NOTHING,
    kind: 'labels',
    subject: 'late',
    state: 'warn',
    value: 0.62,
    explanation,
  };
}

function qualityCheck(back: number): Check {
  return {
    ...OF_NOTHING,
    kind: 'quality',
    subject: 'auc',
    version: 1,
    state: back > 45 ? 'too_few_labels' : 'ok',
    value: back > 45 ? null : 0.7323,
    lower: -0.0138,
    upper: 0.0464,
    reference: 0.7486,
    threshold: 0.02,
    days: 7,
    explanation: 'auc 0.7323 over 7 days until 2001-05-22, 0.7486 over its first 28 in traffic.',
  };
}

const NAMES = ['distance', 'origin', 'hour', 'origin_delays__late_30d', 'weekday'];

function drift(index: number, back: number): Check {
  const isMoved = index === 0 ? back >= 1 && back <= 3 : index === 3 && back < 8;
  const value = isMoved ? 0.2482 : 0.02 + (index % 5) / 100;
  return {
    ...OF_NOTHING,
    kind: 'drift',
    subject: NAMES[index] ?? `column_${index}`,
    version: 1,
    state: isMoved ? 'alert' : 'ok',
    isBreach: isMoved,
    value,
    reference: 0.0608,
    threshold: 0.1,
    since: isMoved ? dayAt(3) : null,
    explanation: `Distance ${value} from its training rows over one day; without drift it stays below 0.0608: ${isMoved ? 'moved' : 'as days differ'}.`,
  };
}

function monitor(name: string, latest: Evaluation | null): MonitorDetail {
  return {
    name,
    spec: MonitorSpec.parse({}),
    appliedAt: dayAt(DAYS),
    appliedBy: 'ana',
    next: at(TODAY + DAY),
    latest,
    references: [
      {
        version: 1,
        metric: 'auc',
        from: dayAt(DAYS),
        until: dayAt(DAYS - 28),
        value: 0.7486,
        lower: 0.738,
        upper: 0.759,
        rows: 44_000,
        days: 28,
      },
    ],
  };
}

function quality(): QualityHistory {
  const days = Array.from({ length: DAYS }, (_, index) => DAYS - index).flatMap((back) =>
    (back > 20 && back < 24 ? [1, 2] : [1]).map((version) => {
      const isMature = back > 2;
      const isWhole = isMature && back !== 12;
      const value = 0.74 + 0.02 * Math.sin(back) - (version === 2 ? 0.2 : 0);
      const requests = 1600 + ((back * 37) % 200);
      return {
        from: dayAt(back),
        until: dayAt(back - 1),
        version,
        requests,
        labelled: isMature ? Math.round(requests * (back === 12 ? 0.4 : 0.98)) : null,
        isWhole,
        value: isWhole ? value : null,
        window:
          isWhole && back < DAYS - 6 && version === 1
            ? { value: 0.745, lower: 0.72, upper: 0.77, days: 7 }
            : null,
      };
    }),
  );
  return {
    monitor: 'late',
    metric: 'auc',
    windowDays: 7,
    drop: 0.02,
    coverage: 0.9,
    label: 'late',
    matureUntil: dayAt(2),
    from: dayAt(DAYS),
    until: dayAt(0),
    days,
  };
}

function history(
  column: string,
  bins: ColumnHistory['bins'],
  moved: readonly number[],
): ColumnHistory {
  const shares = bins.map(() => 1 / bins.length);
  const days = Array.from({ length: DAYS }, (_, index) => DAYS - index);
  const isChanged = (back: number) => column === 'distance' && back >= 2 && back <= 4;
  return {
    monitor: 'late',
    column,
    model: 'late',
    version: 1,
    bins,
    reference: {
      from: at(TODAY - 110 * DAY),
      until: at(TODAY - 84 * DAY),
      rows: 109_985,
      days: 27,
      shares,
      least: shares.map((share) => share * 0.85),
      greatest: shares.map((share) => share * 1.15),
    },
    effect: 0.1,
    days: days.map((back) => ({
      from: dayAt(back),
      until: dayAt(back - 1),
      rows: 1600,
      shares: isChanged(back) ? [...moved] : shares,
      distance: isChanged(back) ? 0.2482 : 0.03 + 0.01 * Math.sin(back),
    })),
    found: days.map((back) => ({
      evaluation: `eval_${hex(1000 + back - 1, 32)}`,
      at: dayAt(back - 1),
      state: isChanged(back) ? 'alert' : 'ok',
      isBreach: isChanged(back),
      distance: isChanged(back) ? 0.2482 : 0.03,
      floor: 0.0608 + 0.004 * Math.sin(back),
    })),
  };
}

function distance(): ColumnHistory {
  const edges = [195, 337, 569, 888, 1557];
  const bins: ColumnHistory['bins'] = [
    ...[...edges, null].map((until, index) => ({
      kind: 'numbers' as const,
      from: edges[index - 1] ?? null,
      until,
    })),
    { kind: 'missing' },
  ];
  return history('distance', bins, [0.03, 0.06, 0.11, 0.2, 0.25, 0.35, 0]);
}

function origin(): ColumnHistory {
  const levels = ['ATL', 'ORD', 'DFW', '<b>LAX</b>'];
  const bins: ColumnHistory['bins'] = [
    ...levels.map((level) => ({ kind: 'level' as const, level })),
    { kind: 'other' },
    { kind: 'missing' },
  ];
  return history('origin', bins, []);
}
