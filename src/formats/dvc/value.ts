/**
 * A value of a YAML or JSON file as DVC sees it. Python keeps integers and floats apart, and so
 * must whoever writes what Python reads: integers are `bigint`, floats are `number`.
 */
export type DvcValue = null | boolean | string | bigint | number | readonly DvcValue[] | DvcMap;

export interface DvcMap {
  readonly [key: string]: DvcValue;
}

export function isList(value: DvcValue | undefined): value is readonly DvcValue[] {
  return Array.isArray(value);
}

export function isMap(value: DvcValue | undefined): value is DvcMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality as Python's `==` has it: 1 equals 1.0, and the order of keys does not matter. */
export function isEqual(a: DvcValue | undefined, b: DvcValue | undefined): boolean {
  if (isNumber(a) && isNumber(b)) return Number.isNaN(a) ? false : a == b;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
    );
  }
  return a === b;
}

function isNumber(value: DvcValue | undefined): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** Python's `repr` of a float: `1.0`, `1e-05`, `1e+16`. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  // The shortest digits are the same in both languages; only the choice of form differs.
  if (exponent >= -4 && exponent < 16) {
    const plain = value.toFixed(Math.max(1, fractionDigits(digits) - exponent));
    return Number(plain) === value ? plain : String(value);
  }
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function fractionDigits(digits: string): number {
  return digits.split('.')[1]?.length ?? 0;
}

/** A value for people, short: what a message shows of a parameter. */
export function shownValue(value: DvcValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return pythonFloat(value);
  if (value === null) return 'null';
  if (!isList(value) && !isMap(value)) return String(value);
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner,
  );
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const SHOWN_MAX = 60;
