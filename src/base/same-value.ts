const ABSOLUTE = 1e-12;
const RELATIVE = 1e-9;

/**
 * Whether two computations of one feature agree: whole numbers exactly, others up to the rounding
 * of sums in another order. Missing is not zero.
 */
export function sameValue(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (Number.isInteger(a) && Number.isInteger(b)) return false;
  return Math.abs(a - b) <= Math.max(ABSOLUTE, RELATIVE * Math.max(Math.abs(a), Math.abs(b)));
}
