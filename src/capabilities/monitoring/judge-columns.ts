import { rowsOf } from '../../base/stats/histogram.ts';
import { wilsonInterval } from '../../base/stats/wilson.ts';
import { checkOf, listed, percent, shown, WHOLE } from './check-of.ts';
import type { Check } from './contract.ts';
import type { ColumnProfile, Profile } from './profile.ts';
import { columnCounts, type Slice } from './slice.ts';

/** More missing by this share is told of, by the second one without waiting for it to go on. */
const MISSING_RISE = 0.05;
const MISSING_JUMP = 0.3;
/** Standard deviations of the training days' shares, or of as many rows, to be beyond them. */
const MISSING_DEVIATIONS = 4;
/** Values that training rows never had are told of from this share on. */
const OUTSIDE_SHARE = 0.01;
/** And only from this part of the trained range beyond it: extremes grow a little with time. */
const OUTSIDE_REACH = 0.1;
const ROWS_MIN = 50;

interface Asked {
  readonly profile: Profile;
  readonly slices: readonly Slice[];
  readonly ignore: ReadonlySet<string>;
}

/** Columns with more missing values than in training, or one check that says there is none. */
export function judgeMissing(asked: Asked): readonly Check[] {
  return judged(asked, 'missing', missingCheck, 'is missing more often than in training');
}

/** Columns with values beyond what the version was trained on, or one check that says none. */
export function judgeRange(asked: Asked): readonly Check[] {
  return judged(asked, 'range', rangeCheck, 'has values beyond those in training');
}

interface Seen {
  readonly column: ColumnProfile;
  readonly counts: Float64Array;
  readonly rows: number;
  readonly slices: readonly Slice[];
  readonly version: number;
  readonly days: number;
}

function judged(
  { profile, slices, ignore }: Asked,
  kind: 'missing' | 'range',
  check: (seen: Seen) => Check | null,
  what: string,
): readonly Check[] {
  const { version } = profile;
  const own = slices.filter((slice) => slice.version === version);
  const found: Check[] = [];
  const looked: string[] = [];
  let most = 0;
  for (const column of profile.columns) {
    const counts = ignore.has(column.name) ? null : columnCounts(own, column.name);
    const rows = counts === null ? 0 : rowsOf(counts);
    if (counts === null || rows < ROWS_MIN) continue;
    looked.push(column.name);
    most = Math.max(most, rows);
    const one = check({ column, counts, rows, slices: own, version, days: own.length });
    if (one !== null) found.push(one);
  }
  if (found.length > 0) return found;
  const topic = { kind, subject: WHOLE, version } as const;
  if (looked.length === 0) return [checkOf(topic, 'no_data', 'There are no values to look at.')];
  const text = `Of ${looked.length} columns (${listed(looked)}) none ${what}.`;
  return [checkOf(topic, 'ok', text, { rows: most, days: own.length })];
}

function missingCheck({ column, counts, rows, version, days }: Seen): Check | null {
  const missing = counts.at(-1)!;
  const share = missing / rows;
  const shares = column.days.map((day) => day.at(-1)! / Math.max(1, rowsOf(day)));
  const usual = meanOf(shares);
  const rise = share - usual;
  const ofRows = Math.sqrt((Math.max(usual, 1 / rows) * (1 - usual)) / rows);
  const deviation = Math.max(deviationOf(shares), ofRows);
  if (rise < MISSING_RISE || rise < MISSING_DEVIATIONS * deviation) return null;
  const isJump = rise >= MISSING_JUMP;
  const text =
    `${percent(share)} of ${rows} values are missing; in training it was ${percent(usual)} ` +
    `(on its worst day ${percent(Math.max(0, ...shares))}).`;
  const topic = { kind: 'missing', subject: column.name, version } as const;
  const bounds = wilsonInterval(missing, rows);
  return checkOf(topic, isJump ? 'alert' : 'warn', text, {
    isBreach: true,
    value: share,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    reference: usual,
    threshold: usual + Math.max(MISSING_RISE, MISSING_DEVIATIONS * deviation),
    rows,
    days,
  });
}

function rangeCheck({ column, rows, slices, version, days }: Seen): Check | null {
  const { name, least, greatest } = column;
  if (least === null || greatest === null) return null;
  const parts = slices.flatMap(({ columns }) => columns[name] ?? []);
  const [below, above] = [sum(parts, 'below'), sum(parts, 'above')];
  const lowest = Math.min(...parts.map((part) => part.least ?? Infinity));
  const highest = Math.max(...parts.map((part) => part.greatest ?? -Infinity));
  const reach = OUTSIDE_REACH * (greatest - least);
  const isFar = lowest < least - reach || highest > greatest + reach;
  const share = (below + above) / rows;
  const bounds = wilsonInterval(below + above, rows);
  if (!isFar || (bounds?.lower ?? 0) < OUTSIDE_SHARE) return null;
  const text =
    `${percent(share)} of ${rows} values lie beyond ${shown(least)} to ${shown(greatest)}, which ` +
    `the version was trained on; they reach from ${shown(lowest)} to ${shown(highest)}.`;
  const topic = { kind: 'range', subject: name, version } as const;
  return checkOf(topic, 'warn', text, {
    isBreach: true,
    value: share,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    reference: 0,
    threshold: OUTSIDE_SHARE,
    rows,
    days,
  });
}

function sum(
  parts: readonly { readonly below: number; readonly above: number }[],
  of: 'below' | 'above',
): number {
  return parts.reduce((total, part) => total + part[of], 0);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0
    ? 0
    : values.reduce((total, value) => total + value, 0) / values.length;
}

function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
