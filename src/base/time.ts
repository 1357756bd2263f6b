/**
 * Instants are int64 microseconds since 1970 in UTC, held as a JavaScript number: exact until the
 * year 2255. Text at the edges is RFC 3339 with a zone.
 */
export type Micros = number & { readonly __unit: 'us' };

export const MICROS_PER_MS = 1000;
export const MICROS_PER_SECOND = 1_000_000;

export function micros(value: number): Micros {
  return value as Micros;
}

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Parses RFC 3339 text with a zone; null for anything else. Digits below a microsecond are cut. */
export function parseInstant(text: string): Micros | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return null;
  const sub = Number(fraction.padEnd(6, '0').slice(0, 6));
  return micros(ms * MICROS_PER_MS + sub);
}

/**
 * RFC 3339 in UTC with as many digits as the instant needs (none, milliseconds or microseconds).
 */
export function formatInstant(instant: Micros): string {
  const ms = Math.floor(instant / MICROS_PER_MS);
  const sub = instant - ms * MICROS_PER_MS;
  const iso = new Date(ms).toISOString();
  if (sub !== 0) return `${iso.slice(0, -1)}${String(sub).padStart(3, '0')}Z`;
  return iso.endsWith('.000Z') ? `${iso.slice(0, -5)}Z` : iso;
}

/**
 * Two clocks (ARCHITECTURE.md, "Two clocks"). `now` is domain time: a feature's T, windows,
 * schedules, routing stamps; a replay workspace moves it by hand. `wall` and `elapsed` are the
 * machine's: latency, timeouts, leases, ids, logs.
 */
export interface Clock {
  now(): Micros;
  wall(): Micros;
  /** Monotonic milliseconds since an arbitrary start. */
  elapsed(): number;
}
