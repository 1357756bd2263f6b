import { formatInstant, type Micros } from '../../base/time.ts';
import { checkOf, listed, percent, shown, type CheckTopic } from './check-of.ts';
import type { CohortDay } from './cohort.ts';
import type { Check, QualitySpec } from './contract.ts';
import { dayText } from './judge-quality.ts';
import { DAY_MICROS, HOUR_MICROS, spanDays } from './periods.ts';

/** Outcomes that occurred in one piece of time, whatever request they are of. */
export interface LabelEvents {
  readonly from: Micros;
  readonly until: Micros;
  readonly count: number;
  readonly first: Micros | null;
  readonly last: Micros | null;
  /** The longest time between two that follow each other, microseconds. */
  readonly longestGap: number;
}

/** History that tells how long a source may be silent. */
export const SILENCE_DAYS = 28;
const HISTORY_DAYS_MIN = 3;
const HISTORY_EVENTS_MIN = 100;
/** A silence this many times as long as any before is implausible; shorter ones never are. */
const SILENCE_FACTOR = 2;
const SILENCE_MIN = 3 * HOUR_MICROS;

/** Whether the newest mature days have their labels. */
export function judgeCoverage(of: {
  readonly label: string;
  readonly spec: QualitySpec;
  readonly cohorts: readonly CohortDay[];
}): Check {
  const topic: CheckTopic = { kind: 'labels', subject: of.label, version: null };
  const byDay = new Map<Micros, { requests: number; labelled: number }>();
  for (const { from, requests, labelled } of of.cohorts) {
    const known = byDay.get(from) ?? { requests: 0, labelled: 0 };
    byDay.set(from, {
      requests: known.requests + requests,
      labelled: known.labelled + labelled,
    });
  }
  const days = [...byDay].slice(-spanDays(of.spec.window));
  const requests = days.reduce((sum, [, day]) => sum + day.requests, 0);
  if (requests === 0) {
    return checkOf(topic, 'no_data', 'No answered request has had time for its label yet.');
  }
  const labelled = days.reduce((sum, [, day]) => sum + day.labelled, 0);
  const { coverage } = of.spec;
  const short = days.filter(([, day]) => day.labelled < coverage * day.requests);
  const share = labelled / requests;
  const newest = days.at(-1)![1];
  const isBreach = newest.labelled < coverage * newest.requests;
  const found = { value: share, threshold: coverage, rows: requests, days: days.length };
  const size = `${percent(share)} of ${requests} mature requests of ${days.length} days have a label`;
  if (short.length === 0) return checkOf(topic, 'ok', `${size}.`, found);
  const names = listed(short.map(([day]) => dayText(day)));
  const text = `${size}; ${names} below ${percent(coverage)}, so quality leaves ${short.length === 1 ? 'it' : 'them'} out.`;
  return checkOf(topic, 'warn', text, { ...found, isBreach });
}

/**
 * Whether outcomes still come: a silence longer than the source's own history makes plausible,
 * while requests that could have one are answered. `events` and `asked` are in the order of time.
 */
export function judgeSilence(of: {
  readonly label: string;
  readonly at: Micros;
  readonly events: readonly LabelEvents[];
  /** Requests answered in the day before the newest outcome and since. */
  readonly asked: number;
}): Check {
  const { label, at, events, asked } = of;
  const topic: CheckTopic = { kind: 'label_silence', subject: label, version: null };
  const filled = events.filter(({ count }) => count > 0);
  const count = filled.reduce((sum, one) => sum + one.count, 0);
  const first = filled[0]?.first ?? null;
  const last = filled.at(-1)?.last ?? null;
  if (first === null || last === null) {
    return checkOf(topic, 'no_data', `No outcome of ${label} has come yet.`);
  }
  const days = Math.floor((last - first) / DAY_MICROS);
  const silence = at - last;
  const longest = longestGap(filled);
  // A young source has shown little of its silences; a day of it is long for any that came daily.
  const isYoung = days < HISTORY_DAYS_MIN;
  const least = isYoung ? DAY_MICROS : SILENCE_MIN;
  const limit = Math.max(least, SILENCE_FACTOR * longest);
  if (count < HISTORY_EVENTS_MIN || (isYoung && silence <= limit)) {
    const text =
      `${count} outcomes over ${days} days: what silence is usual is known after ` +
      `${HISTORY_DAYS_MIN} days and ${HISTORY_EVENTS_MIN} outcomes.`;
    return checkOf(topic, 'no_data', text, { rows: count, days });
  }
  const isSilent = silence > limit && asked > 0;
  const text =
    `The newest outcome of ${label} is of ${formatInstant(last)}, ${hours(silence)} ago; within ` +
    `${days} days the longest silence was ${hours(longest)}.` +
    (isSilent
      ? ` Nobody knows how good the answers are while it lasts: look at the source.`
      : silence > limit
        ? ' Nothing was asked meanwhile.'
        : '');
  return checkOf(topic, isSilent ? 'alert' : 'ok', text, {
    isBreach: isSilent,
    value: silence / HOUR_MICROS,
    reference: longest / HOUR_MICROS,
    threshold: limit / HOUR_MICROS,
    rows: count,
    days,
    since: isSilent ? formatInstant(last) : null,
  });
}

function longestGap(filled: readonly LabelEvents[]): number {
  let longest = 0;
  let before: Micros | null = null;
  for (const { first, last, longestGap: within } of filled) {
    longest = Math.max(longest, within, before === null ? 0 : first! - before);
    before = last;
  }
  return longest;
}

function hours(micros: number): string {
  if (micros < HOUR_MICROS) return `${Math.round((micros / HOUR_MICROS) * 60)} minutes`;
  return micros < DAY_MICROS * 2
    ? `${shown(Math.round((micros / HOUR_MICROS) * 10) / 10)} hours`
    : `${shown(Math.round((micros / DAY_MICROS) * 10) / 10)} days`;
}
