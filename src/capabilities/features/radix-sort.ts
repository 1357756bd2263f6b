const DIGITS = 2 ** 16;
/** Below, comparing is faster than counting digits. */
const COUNTED_MIN = 4096;

/**
 * The values from the least to the greatest; none may be NaN. Linear: a pass over each 16 bits of
 * a double, but for those that all values share.
 */
export function sortedDoubles(values: Float64Array): Float64Array {
  if (values.length < COUNTED_MIN) return values.slice().sort();
  let bits = bitsOf(values);
  let from = values;
  let to: Float64Array = new Float64Array(values.length);
  for (let digit = 0; digit < 4; digit += 1) {
    const starts = digitStarts(bits, digit);
    if (starts === null) continue;
    for (let index = 0; index < from.length; index += 1) {
      const value = bits[index * 4 + digit]!;
      to[starts[value]!] = from[index]!;
      starts[value]! += 1;
    }
    [from, to] = [to, from === values ? new Float64Array(values.length) : from];
    bits = bitsOf(from);
  }
  return negativesReversed(from);
}

/**
 * Positions of safe integers from the least to the greatest, equal ones in the order they have.
 */
export function risingOrder(values: Float64Array): Uint32Array {
  const order = new Uint32Array(values.length);
  for (let index = 0; index < order.length; index += 1) order[index] = index;
  if (isRising(values)) return order;
  if (values.length < COUNTED_MIN) return order.sort((a, b) => values[a]! - values[b]!);
  const least = values.reduce((most, value) => Math.min(most, value), Infinity);
  const bits = bitsOf(values.map((value) => value - least));
  let [from, to] = [order, new Uint32Array(values.length)];
  for (let digit = 0; digit < 4; digit += 1) {
    const starts = digitStarts(bits, digit);
    if (starts === null) continue;
    for (let index = 0; index < from.length; index += 1) {
      const position = from[index]!;
      const value = bits[position * 4 + digit]!;
      to[starts[value]!] = position;
      starts[value]! += 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Digits of each value, the lowest first: the platforms that Node runs on are little-endian. */
function bitsOf(values: Float64Array): Uint16Array {
  return new Uint16Array(values.buffer, values.byteOffset, values.length * 4);
}

function isRising(values: Float64Array): boolean {
  for (let index = 1; index < values.length; index += 1) {
    if (values[index - 1]! > values[index]!) return false;
  }
  return true;
}

/** How many values have a lower digit, by digit; null when all have the same one. */
function digitStarts(bits: Uint16Array, digit: number): Uint32Array | null {
  const starts = new Uint32Array(DIGITS);
  for (let at = digit; at < bits.length; at += 4) starts[bits[at]!]! += 1;
  if (starts[bits[digit]!]! * 4 === bits.length) return null;
  let start = 0;
  for (let value = 0; value < DIGITS; value += 1) {
    const count = starts[value]!;
    starts[value] = start;
    start += count;
  }
  return starts;
}

/** In the order of their bits negative values come last, the greatest of them first. */
function negativesReversed(sorted: Float64Array): Float64Array {
  let first = sorted.length;
  while (first > 0 && isNegative(sorted[first - 1]!)) first -= 1;
  if (first === sorted.length) return sorted;
  const result = new Float64Array(sorted.length);
  result.set(sorted.subarray(first).toReversed());
  result.set(sorted.subarray(0, first), sorted.length - first);
  return result;
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}
