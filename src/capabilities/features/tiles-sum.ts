/**
 * Doubles that do not overlap and whose sum is exactly that of the values, NaN left out: what a
 * summary keeps of them (J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997).
 * Values of like magnitude need two or three. Null when they go past the largest double on the way.
 */
export function exactParts(values: Float64Array): readonly number[] | null {
  const parts: number[] = [];
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    let rest = value;
    let kept = 0;
    for (let index = 0; index < count; index += 1) {
      const part = parts[index]!;
      const high = rest + part;
      const shadow = high - rest;
      const low = rest - (high - shadow) + (part - shadow);
      if (low !== 0) {
        parts[kept] = low;
        kept += 1;
      }
      rest = high;
    }
    if (rest !== 0) {
      parts[kept] = rest;
      kept += 1;
    }
    count = kept;
  }
  const sum = parts.slice(0, count);
  return sum.every(Number.isFinite) ? sum : null;
}
