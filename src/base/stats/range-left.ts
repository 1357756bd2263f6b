import { wilsonInterval } from './wilson.ts';

export interface RangeFinding {
  readonly isLeft: boolean;
  /** Shares of the finite rows; `lower` is the 95 % Wilson bound of their sum. */
  readonly below: number;
  readonly above: number;
  readonly lower: number;
  readonly rows: number;
}

/** More rows outside than this share have left a range that all rows of the reference were in. */
const OUTSIDE_MAX = 0.01;

/**
 * Whether values left the range that the reference had: surely more than a share of 1 %, or than
 * the one given. Rows are taken as independent. Null without finite rows.
 */
export function rangeLeft(
  range: { readonly least: number; readonly greatest: number },
  values: Float64Array,
  outsideMax = OUTSIDE_MAX,
): RangeFinding | null {
  let [rows, below, above] = [0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    rows++;
    if (value < range.least) below++;
    else if (value > range.greatest) above++;
  }
  const outside = wilsonInterval(below + above, rows);
  if (outside === null) return null;
  return {
    isLeft: outside.lower > outsideMax,
    below: below / rows,
    above: above / rows,
    lower: outside.lower,
    rows,
  };
}
