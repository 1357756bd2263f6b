const MICROS_PER_HOUR = 3_600_000_000;
const MICROS_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1000;
/** Offsets kept of one zone: half a century of hours. */
const OFFSETS_MAX = 450_000;

/** Years 1 to 9999: what every calendar here agrees on. */
const EARLIEST = -62_135_596_800_000_000;
const LATEST = 253_402_300_800_000_000;

const PARTS = ['year', 'month', 'day', 'hour', 'minute', 'second'];

/**
 * The clocks of an IANA zone. Asking `Intl` costs microseconds, so offsets are kept by hour; an
 * hour in which they change is asked about each time.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  /** Null for what is no IANA zone of this machine's data. */
  static of(zone: string): ZoneClock | null {
    // Offsets such as +02:00 are taken by Intl too, and are no zones.
    if (!/^[A-Za-z]/.test(zone)) return null;
    try {
      return new ZoneClock(
        new Intl.DateTimeFormat('en-US', {
          timeZone: zone,
          calendar: 'gregory',
          numberingSystem: 'latn',
          hourCycle: 'h23',
          year: 'numeric',
          month: '2-digit',
          day: '2-digit',
          hour: '2-digit',
          minute: '2-digit',
          second: '2-digit',
        }),
      );
    } catch {
      return null;
    }
  }

  /** Microseconds since 1970 as a clock there would count them; null outside years 1 to 9999. */
  toLocal(instant: number): number | null {
    if (instant < EARLIEST || instant >= LATEST) return null;
    return instant + this.#offsetAt(instant);
  }

  #offsetAt(instant: number): number {
    const hour = Math.floor(instant / MICROS_PER_HOUR);
    const known = this.#offsets.get(hour);
    if (known !== undefined) return known;
    const first = this.#ask(hour * MICROS_PER_HOUR);
    if (first !== this.#ask((hour + 1) * MICROS_PER_HOUR - MICROS_PER_SECOND)) {
      return this.#ask(instant);
    }
    if (this.#offsets.size === OFFSETS_MAX) this.#offsets.clear();
    this.#offsets.set(hour, first);
    return first;
  }

  #ask(instant: number): number {
    const seconds = Math.floor(instant / MICROS_PER_SECOND);
    const parts = new Map<string, number>();
    for (const { type, value } of this.#format.formatToParts(seconds * MS_PER_SECOND)) {
      parts.set(type, Number(value));
    }
    const [year, month, day, hour, minute, second] = PARTS.map((part) => parts.get(part)!) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const shown = Date.UTC(year, month - 1, day, hour, minute, second);
    return (shown / MS_PER_SECOND - seconds) * MICROS_PER_SECOND;
  }
}

/** 0 to 23. */
export function hourOf(local: number): number {
  return Math.floor(local / MICROS_PER_HOUR) - Math.floor(local / (24 * MICROS_PER_HOUR)) * 24;
}

/** 1 (Monday) to 7 (Sunday): the first day of 1970 was a Thursday. */
export function weekdayOf(local: number): number {
  const day = Math.floor(local / (24 * MICROS_PER_HOUR));
  return ((((day + 3) % 7) + 7) % 7) + 1;
}
