import { MICROS_PER_SECOND, micros, type Micros } from '../../base/time.ts';
import type { Span } from './report-marks.ts';
import { momentOf } from './report-figures.ts';

/** Positions on a chart's axis, and what is written along it. */
export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

const DAY = 86_400 * MICROS_PER_SECOND;
/** From here on only the first days of months are written. */
const MONTHLY_FROM = 60 * DAY;
const DAY_TICKS_MAX = 6;
const MONTH_TICKS_MAX = 8;
const VALUE_TICKS = 4;
const RANGE_MIN = 0.02;

/** Domain time from left to right. */
export function timeScale({ from, until }: Span, left: number, right: number): Scale {
  const place = (at: number): number => left + ((at - from) / (until - from)) * (right - left);
  const days = daysOf(from, until);
  const months = days.filter((at) => new Date(at / 1000).getUTCDate() === 1);
  const isMonthly = until - from >= MONTHLY_FROM;
  const shown = isMonthly ? every(months, MONTH_TICKS_MAX) : every(days, DAY_TICKS_MAX);
  return { place, ticks: shown.map((at) => ({ at: place(at), text: momentOf(at).slice(0, 10) })) };
}

/** Midnights in UTC, both ends with them. */
function daysOf(from: Micros, until: Micros): readonly Micros[] {
  const first = Math.ceil(from / DAY);
  const length = Math.max(0, Math.floor(until / DAY) - first + 1);
  return Array.from({ length }, (_, index) => micros((first + index) * DAY));
}

function every(values: readonly Micros[], most: number): readonly Micros[] {
  const step = Math.max(1, Math.ceil(values.length / most));
  return values.filter((_, index) => index % step === 0);
}

/** Values upwards, with room around them and round numbers beside; at least one value. */
export function valueScale(values: readonly number[], bottom: number, top: number): Scale {
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  // Figures that hardly differ would fill the chart with what is no difference.
  const half = Math.max(Math.max(...values) - middle, RANGE_MIN / 2);
  const lowest = middle - half;
  const highest = middle + half;
  const step = roundUp((highest - lowest) / VALUE_TICKS);
  const low = Math.floor(lowest / step) * step;
  const intervals = Math.max(1, Math.ceil((highest - low) / step - 1e-9));
  const high = low + intervals * step;
  const place = (value: number): number => bottom - ((value - low) / (high - low)) * (bottom - top);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return {
    place,
    ticks: Array.from({ length: intervals + 1 }, (_, index) => {
      const value = low + index * step;
      return { at: place(value), text: value.toFixed(digits) };
    }),
  };
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function roundUp(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  const factor = [1, 2, 5].find((it) => it * power >= size - 1e-12) ?? 10;
  return factor * power;
}
