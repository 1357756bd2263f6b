const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const DECIMAL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** 1234567 as `1,234,567`. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** How many in a second: `0.2`, `9.7`, `1,234`. */
export function formatRate(rate: number): string {
  if (rate > 0 && rate < 0.1) return '< 0.1';
  return rate === 0 || rate >= 10 ? COUNT.format(rate) : rate.toFixed(1);
}

const VALUE = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });
const WHOLE_MAX = 1e15;

/** A measured number: whole ones in full, others with six significant digits; NaN for null. */
export function formatValue(value: number | null): string {
  if (value === null) return 'NaN';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < WHOLE_MAX) return COUNT.format(value);
  if (size >= 1e-4 && size < 1e9) return VALUE.format(value);
  return String(Number(value.toPrecision(6)));
}

const DIFFERENCE = new Intl.NumberFormat('en-US', {
  maximumSignificantDigits: 3,
  signDisplay: 'exceptZero',
});

/** A difference with its sign, three significant digits: `+0.0123`, `−0.4`, `0`. */
export function formatSigned(value: number): string {
  return DIFFERENCE.format(value).replace('-', '−');
}

/** A count with its noun: `1 row`, `2 rows`. */
export function formatCounted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** Whole bytes up to a kibibyte, then three significant digits in the largest fitting unit. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** Microseconds as `412 µs`, `4.12 ms` or `1.2 s`. */
export function formatMicroseconds(us: number): string {
  return scaled(us, 1000, ['µs', 'ms', 's']);
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let index = 0;
  // 999.5 would print as 1,000 of the smaller unit.
  while (rest >= step - 0.5 && index < units.length - 1) {
    rest /= step;
    index += 1;
  }
  const digits = rest >= 100 ? COUNT.format(rest) : DECIMAL.format(rest);
  return `${digits} ${units[index]}`;
}

/** A part of a whole in percent, with the digits that tell 99.96 % from all of it. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '0 %';
  const percent = (100 * part) / whole;
  if (part !== 0 && percent < 0.01) return '< 0.01 %';
  if (part !== whole && percent > 99.99) return '> 99.99 %';
  return `${new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }).format(percent)} %`;
}

const SPANS: readonly (readonly [seconds: number, unit: string, part: number, of: string])[] = [
  [86_400, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
];

/** How long something took, in two units: `420 ms`, `48 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${COUNT.format(seconds * 1000)} ms`;
  const span = SPANS.find(([size]) => seconds >= size);
  if (span === undefined) return `${COUNT.format(Math.floor(seconds))} s`;
  const [size, unit, part, of] = span;
  const rest = Math.floor((seconds % size) / part);
  const whole = `${COUNT.format(Math.floor(seconds / size))} ${unit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${of}`;
}

const PERIODS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

/** How long ago, in its largest unit: `12 s ago`, `3 min ago`; `just now` below a second. */
export function formatAgo(seconds: number): string {
  if (seconds < 1) return 'just now';
  const [size, unit] = PERIODS.find(([size]) => seconds >= size) ?? [1, 's'];
  return `${formatCount(Math.floor(seconds / size))} ${unit} ago`;
}

/** A SHA-256 by its first digits, its algorithm left out. */
export function formatDigest(digest: string): string {
  return formatShort(digest.replace(/^sha256:/, ''));
}

/** An id by its first characters; the whole of it belongs behind a copy button. */
export function formatShort(text: string, length = 12): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
