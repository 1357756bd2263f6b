/**
 * A value of a YAML or JSON file as DVC sees it. Python keeps integers and floats apart, and so
 * must whoever writes what Python reads: integers are `bigint`, floats are `number`.
 */
export type DvcValue =
  null | boolean | string | bigint | number | YamlTime | readonly DvcValue[] | DvcMap;

/** A date or time that was not quoted: Python has a type of its own for it. */
export class YamlTime {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface DvcMap {
  readonly [key: string]: DvcValue;
}

export function isList(value: DvcValue | undefined): value is readonly DvcValue[] {
  return Array.isArray(value);
}

export function isMap(value: DvcValue | undefined): value is DvcMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof YamlTime)
  );
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
  if (a instanceof YamlTime && b instanceof YamlTime) return a.text === b.text;
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
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const sign = value < 0 ? '-' : '';
  // The shortest digits are the same in both languages; only the choice of form differs.
  if (exponent >= -4 && exponent < 16) return `${sign}${placePoint(digits, exponent)}`;
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
}

/** The digits of d.ddd times ten to the exponent, with at least one on each side of the point. */
function placePoint(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** A value for people, short: what a message shows of a parameter. */
export function shownValue(value: DvcValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return pythonFloat(value);
  if (value instanceof YamlTime) return value.text;
  if (value === null) return 'null';
  if (!isList(value) && !isMap(value)) return String(value);
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner,
  );
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const SHOWN_MAX = 60;
