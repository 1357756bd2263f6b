import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import type { Figures } from './quickstart-report.ts';

/** What stands where a figure was not measured. */
export const NONE = '–';

/** Digits behind the point of AUC and log-loss: a difference of a thousandth is what matters. */
const DIGITS = 4;

export type Metric = keyof Figures;
export const METRICS: readonly Metric[] = ['auc', 'logloss'];
export const METRIC_NAMES: Readonly<Record<Metric, string>> = { auc: 'AUC', logloss: 'Log-loss' };

/** `12,345`. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1 week`, `2 weeks`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

export function figure(value: number | null): string {
  return value === null ? NONE : value.toFixed(DIGITS);
}

/** In percent; a small part never reads as nothing, and only the whole reads as 100 %. */
export function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  if (part === whole) return '100 %';
  const percent = (100 * part) / whole;
  if (percent < 0.1) return '< 0.1 %';
  return percent > 99.9 && percent < 100 ? '> 99.9 %' : `${percent.toFixed(1)} %`;
}

/** `2001-04-29 06:00`, in UTC; text that is no instant as it is. */
export function moment(text: string): string {
  const instant = parseInstant(text);
  return instant === null ? text : momentOf(instant);
}

export function momentOf(instant: Micros): string {
  return formatInstant(instant).slice(0, 16).replace('T', ' ');
}

/** `2001-04-29`, in UTC; text that is no instant as it is. */
export function day(text: string): string {
  const instant = parseInstant(text);
  return instant === null ? text : formatInstant(instant).slice(0, 10);
}

export interface Difference {
  /** Loop minus static, with its sign. */
  readonly text: string;
  /** What the loop is, by the digits that are shown; a lower log-loss is the better one. */
  readonly verdict: 'better' | 'worse' | 'equal' | 'unknown';
}

/** The loop against the static model. Compares what is shown, so that no equal figures differ. */
export function difference(metric: Metric, of: { static: Figures; loop: Figures }): Difference {
  const still = of.static[metric];
  const loop = of.loop[metric];
  if (still === null || loop === null) return { text: NONE, verdict: 'unknown' };
  const by = Number(loop.toFixed(DIGITS)) - Number(still.toFixed(DIGITS));
  const size = Math.abs(by).toFixed(DIGITS);
  if (Number(size) === 0) return { text: size, verdict: 'equal' };
  const isBetter = metric === 'auc' ? by > 0 : by < 0;
  return { text: `${by < 0 ? '−' : '+'}${size}`, verdict: isBetter ? 'better' : 'worse' };
}

/** Checks of level 3, and how many of them were seen to work: configured alone does not count. */
export function levelThree(checks: readonly { readonly id: string; readonly state: string }[]): {
  readonly exercised: number;
  readonly of: number;
} {
  const ofLevel = checks.filter(({ id }) => /^D\d+$/.test(id));
  return { exercised: ofLevel.filter(({ state }) => state === 'pass').length, of: ofLevel.length };
}

/** How often each value occurs, the most frequent first. */
export function tally(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}

/** `rolled_back` as words. */
export function words(kind: string): string {
  return kind.replaceAll('_', ' ');
}
