import { assert } from '../../base/assert.ts';

/**
 * A sum of doubles without any rounding until it is read: adding in another order, adding and
 * taking away, and merging partial sums give the same bits. The sweep and the tiles rest on that.
 *
 * Small integers go into one number. Everything else goes into limbs of 16 bits, as in "Fast exact
 * summation using small and large superaccumulators" (Neal, 2015): limb `i` counts units of
 * 2^(16 i - 1074), so that every double is a whole number of the lowest one.
 */
export class ExactSum {
  /** Exact while it stays below 2^53. */
  #whole = 0;
  #limbs: Float64Array | null = null;
  /** Limbs that may differ from zero: from the first to before the end. */
  #first = LIMBS;
  #end = 0;
  /** Additions since the limbs were last carried. */
  #pending = 0;

  /** The value must be finite. */
  add(value: number): void {
    if (isSmallInteger(value)) this.#addWhole(value);
    else this.#addLimbs(value, 1);
  }

  /** The same as adding each, NaN left out, but several times as fast. */
  addAll(values: Float64Array): void {
    for (let start = 0; start < values.length; start += GRID) {
      this.#addSome(values.subarray(start, start + GRID));
    }
  }

  /**
   * Adding and taking away a large number rounds to the multiples of a unit (the grid). At most
   * `GRID` values of at most `GRID` units each add up without rounding, and what rounding left of a
   * value is exact: it goes to a grid that much finer, and after the third in here.
   */
  #addSome(values: Float64Array): void {
    let largest = 0;
    for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
    const isOrdinary = largest > GRID_MIN && largest < GRID_MAX;
    const [first, second, third] = isOrdinary ? gridsBelow(largest) : [0, 0, 0];
    let [high, middle, low] = [0, 0, 0];
    for (const value of values) {
      if (value !== value) continue;
      const top = value + first - first;
      const next = value - top + second - second;
      const last = value - top - next + third - third;
      const rest = isOrdinary ? value - top - next - last : value;
      high += top;
      middle += next;
      low += last;
      if (rest !== 0) this.add(rest);
    }
    if (!isOrdinary) return;
    for (const part of [high, middle, low]) this.add(part);
  }

  /** Takes back what was added. */
  subtract(value: number): void {
    if (isSmallInteger(value)) this.#addWhole(-value);
    else this.#addLimbs(value, -1);
  }

  /** Adds what the other one holds, which stays as it is. */
  merge(other: ExactSum): void {
    this.#combine(other, 1);
  }

  unmerge(other: ExactSum): void {
    this.#combine(other, -1);
  }

  /** The double nearest to the exact sum, ties to even; an infinity past the largest double. */
  value(): number {
    if (this.#limbs === null) return this.#whole;
    this.#settle();
    const [limbs, first, end] = [this.#limbs, this.#first, this.#end];
    if (first >= end) return 0;
    // Read for every window of every row: hence without a list of digits.
    if (limbs[end - 1]! >= 0) return rounded(limbs, first, end);
    negated(limbs, first, end);
    return -rounded(NEGATED, first, end + 1);
  }

  clear(): void {
    this.#whole = 0;
    if (this.#limbs !== null) this.#limbs.fill(0, Math.min(this.#first, this.#end), this.#end);
    this.#first = LIMBS;
    this.#end = 0;
    this.#pending = 0;
  }

  /** The same bytes for the same sum: sign, place of the lowest limb, limbs of two bytes each. */
  toBytes(): Uint8Array {
    const { sign, digits, first } = this.#canonical();
    if (digits.length === 0) return new Uint8Array(0);
    const bytes = new Uint8Array(2 + digits.length * 2);
    bytes[0] = sign === 1 ? 1 : 2;
    bytes[1] = first;
    for (const [index, digit] of digits.entries()) {
      bytes[2 + index * 2] = digit % 256;
      bytes[3 + index * 2] = digit >>> 8;
    }
    return bytes;
  }

  static fromBytes(bytes: Uint8Array): ExactSum {
    const sum = new ExactSum();
    if (bytes.length === 0) return sum;
    const [signed, first] = bytes as unknown as [number, number];
    const count = (bytes.length - 2) / 2;
    assert(Number.isInteger(count) && (signed === 1 || signed === 2), 'bytes are no exact sum');
    assert(first + count <= LIMBS, 'an exact sum is out of its range');
    const sign = signed === 1 ? 1 : -1;
    for (let index = 0; index < count; index += 1) {
      const digit = bytes[2 + index * 2]! + bytes[3 + index * 2]! * 256;
      sum.#addDigit(first + index, sign * digit);
    }
    return sum;
  }

  #addWhole(value: number): void {
    this.#whole += value;
    if (Math.abs(this.#whole) < WHOLE_MAX) return;
    const whole = this.#whole;
    this.#whole = 0;
    this.#addLimbs(whole, 1);
  }

  #addLimbs(value: number, sign: 1 | -1): void {
    assert(Number.isFinite(value), 'only finite numbers have an exact sum');
    if (value === 0) return;
    VIEW.setFloat64(0, value);
    const high = VIEW.getUint32(0);
    const low = VIEW.getUint32(4);
    const exponent = (high >>> 20) & 0x7ff;
    const top = (high & 0xfffff) + (exponent === 0 ? 0 : 0x100000);
    const bit = exponent === 0 ? 0 : exponent - 1;
    const limb = bit >>> 4;
    const unit = (high >>> 31 === 0 ? sign : -sign) * 2 ** (bit & 15);
    this.#room(limb, limb + 4);
    const limbs = this.#limbs!;
    limbs[limb]! += (low & 0xffff) * unit;
    limbs[limb + 1]! += (low >>> 16) * unit;
    limbs[limb + 2]! += (top & 0xffff) * unit;
    limbs[limb + 3]! += (top >>> 16) * unit;
  }

  #addDigit(limb: number, digit: number): void {
    this.#room(limb, limb + 1);
    this.#limbs![limb]! += digit;
  }

  #combine(other: ExactSum, sign: 1 | -1): void {
    const limbs = other.#limbs;
    if (limbs !== null && other.#first < other.#end) {
      other.#carry();
      this.#room(other.#first, other.#end);
      for (let index = other.#first; index < other.#end; index += 1) {
        this.#limbs![index]! += sign * limbs[index]!;
      }
    }
    if (other.#whole !== 0) this.#addWhole(sign * other.#whole);
  }

  /** Makes the limbs from `first` to before `end` usable for one more addition. */
  #room(first: number, end: number): void {
    this.#limbs ??= new Float64Array(LIMBS);
    if (this.#pending === PENDING_MAX) this.#carry();
    this.#pending += 1;
    if (first < this.#first) this.#first = first;
    if (end > this.#end) this.#end = end;
  }

  /** Brings every limb but the highest between 0 and 2^16; the value stays. */
  #carry(): void {
    const limbs = this.#limbs!;
    let carried = 0;
    for (let index = this.#first; index < this.#end; index += 1) {
      const value = limbs[index]! + carried;
      carried = Math.floor(value / LIMB);
      limbs[index] = value - carried * LIMB;
    }
    while (carried !== 0 && carried !== -1) {
      const rest = Math.floor(carried / LIMB);
      limbs[this.#end] = carried - rest * LIMB;
      this.#end += 1;
      carried = rest;
    }
    if (carried === -1) limbs[this.#end - 1]! -= LIMB;
    this.#pending = 0;
  }

  /** Brings everything into the limbs, carried. */
  #settle(): void {
    const whole = this.#whole;
    if (whole !== 0) {
      this.#whole = 0;
      this.#addLimbs(whole, 1);
    }
    if (this.#limbs !== null && this.#first < this.#end) this.#carry();
  }

  /** Sign and magnitude, without zeros at either end; of the whole, too. */
  #canonical(): { readonly sign: 1 | -1; readonly digits: number[]; readonly first: number } {
    this.#settle();
    if (this.#limbs === null || this.#first >= this.#end) return { sign: 1, digits: [], first: 0 };
    const digits = Array.from(this.#limbs.subarray(this.#first, this.#end));
    const isNegative = digits.at(-1)! < 0;
    if (isNegative) negate(digits);
    let start = 0;
    while (start < digits.length && digits[start] === 0) start += 1;
    while (digits.length > start && digits.at(-1) === 0) digits.pop();
    if (start === digits.length) {
      this.clear();
      return { sign: 1, digits: [], first: 0 };
    }
    return { sign: isNegative ? -1 : 1, digits: digits.slice(start), first: this.#first + start };
  }
}

const GRID = 2 ** 25;
/** Where the grids of a value are all doubles with all their bits. */
const GRID_MIN = 2 ** -900;
const GRID_MAX = 2 ** 900;

/** What rounds to a grid of which a value of this size is at most `GRID` units, and finer. */
function gridsBelow(largest: number): readonly [number, number, number] {
  const unit = 2 ** (Math.floor(Math.log2(largest)) + 2) / GRID;
  const first = unit * 1.5 * 2 ** 52;
  return [first, first / GRID, first / GRID / GRID];
}

const LIMB = 2 ** 16;
/** 2098 bits from the least to past the largest double, and 46 more for the number of summands. */
const LIMBS = 134;
/** Each addition changes a limb by less than 2^32. */
const PENDING_MAX = 2 ** 20;
/** Far enough below 2^53 that one more small integer is still exact. */
const WHOLE_MAX = 2 ** 52;
const SMALL_MAX = 2 ** 51;
const VIEW = new DataView(new ArrayBuffer(8));

function isSmallInteger(value: number): boolean {
  return value > -SMALL_MAX && value < SMALL_MAX && Math.floor(value) === value;
}

function negate(digits: number[]): void {
  let carried = 0;
  for (const [index, digit] of digits.entries()) {
    const value = carried - digit;
    carried = Math.floor(value / LIMB);
    digits[index] = value - carried * LIMB;
  }
  // The highest was -LIMB with nothing below it: its magnitude needs one digit more.
  if (carried === 1) digits.push(carried);
  else assert(carried === 0, 'an exact sum was not carried');
}

/** What `negated` leaves: one limb more than a sum has. */
const NEGATED = new Float64Array(LIMBS + 1);

/** The magnitude of a negative carried sum; the highest may need one limb more. */
function negated(limbs: Float64Array, first: number, end: number): void {
  let carried = 0;
  for (let index = first; index < end; index += 1) {
    const value = carried - limbs[index]!;
    carried = Math.floor(value / LIMB);
    NEGATED[index] = value - carried * LIMB;
  }
  NEGATED[end] = carried;
}

/** The nearest double of carried limbs, none of them negative; 0 when all are zero. */
function rounded(limbs: Float64Array, first: number, end: number): number {
  let top = end - 1;
  while (top >= first && limbs[top] === 0) top -= 1;
  if (top < first) return 0;
  const below = (at: number): number => (top - at < first ? 0 : limbs[top - at]!);
  // At least 33 bits stand before the point, so the last bit below it only breaks ties.
  const high = (limbs[top]! * LIMB + below(1)) * LIMB + below(2);
  let low = ((below(3) * LIMB + below(4)) * LIMB + below(5)) / LIMB ** 3;
  for (let index = top - 6; index >= first; index -= 1) {
    if (limbs[index] === 0) continue;
    low += STICKY;
    break;
  }
  const sum = high + low;
  // The power of two alone may lie outside the range where the product does not.
  return sum * SCALES[2 * top]! * SCALES[2 * top + 1]!;
}

const STICKY = 2 ** -52;
/** Two factors that are a unit of the limb two below the highest, by the highest one's place. */
const SCALES = Float64Array.from({ length: 2 * (LIMBS + 1) }, (_, at) => {
  const power = ((at >> 1) - 2) * 16 - 1074;
  const half = power < -1022 ? -1022 : Math.trunc(power / 2);
  return 2 ** (at % 2 === 0 ? half : power - half);
});
