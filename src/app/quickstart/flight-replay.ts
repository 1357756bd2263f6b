import { formatInstant, micros, type Micros } from '../../base/time.ts';
import type { AskedFlight } from './flight-client.ts';
import { flightsIn, type FlightColumns } from './flight-columns.ts';
import { DEPARTURES, LANDINGS, type FlightFile } from './flight-files.ts';
import { MINUTE_MICROS, sampledMinute, slotOf } from './sampled-minutes.ts';

/** Flights later than this are late: what `prepare.py` says of them. */
const LATE_AFTER_MINUTES = 15;
const HOUR_MICROS = 60 * MINUTE_MICROS;
const KILOMETRES_PER_MILE = 1.609344;

/** What is done to the system under replay; each may be repeated. */
export interface Played {
  /** One batch of a stream that numbers its batches; answers the table's version. */
  append(file: FlightFile, rows: readonly object[], sequence: number): Promise<number>;
  /** Until the online store shows this version of the landings. */
  awaitOnline(version: number): Promise<void>;
  advance(to: Micros): Promise<void>;
  /** Whether the flight has asked before. */
  hasAsked(flightId: number): Promise<boolean>;
  ask(flight: AskedFlight): Promise<void>;
}

export interface Flights {
  readonly departures: FlightColumns;
  readonly landings: FlightColumns;
  /** Everything before it is in the tables already, departures of each whole hour. */
  readonly loadedUntil: Micros;
  /** Where the clock stands: what landed before is in the tables as well. */
  readonly from: Micros;
  /** The staged fault: distances in kilometres, in requests and in records. */
  readonly kilometres: { readonly from: Micros; readonly until: Micros } | null;
}

/**
 * History as it happened: for each played minute the flights that landed before it are appended,
 * then the clock moves, then the departures of that minute ask. A minute in which nothing departs
 * is not played: what landed until then is appended with the next. Departures are on record once an
 * hour. What is done depends on where the clock stands alone, so that it goes on from anywhere.
 */
export class FlightReplay {
  readonly #flights: Flights;
  readonly #played: Played;
  #landedUntil: Micros;

  constructor(flights: Flights, played: Played) {
    this.#flights = flights;
    this.#played = played;
    this.#landedUntil = flights.from;
  }

  /**
   * Plays the minute of the slot and answers how many departures have asked. `isResumed`: it may
   * have been begun before.
   */
  async play(slot: number, isResumed: boolean): Promise<number> {
    const at = sampledMinute(slot);
    const until = micros(at + MINUTE_MICROS);
    const [first, end] = flightsIn(this.#flights.departures, { from: at, until });
    if (first === end) return 0;
    await this.#playUntil(at);
    const asked = await Promise.all(
      Array.from({ length: end - first }, async (_, index) => {
        const flight = this.#askedAt(first + index);
        if (isResumed && (await this.#played.hasAsked(flight.id))) return false;
        await this.#played.ask(flight);
        return true;
      }),
    );
    return asked.filter(Boolean).length;
  }

  /** Puts on record what is not yet, at the end. */
  async finish(until: Micros): Promise<void> {
    await this.#playUntil(until);
  }

  async #playUntil(at: Micros): Promise<void> {
    const from = this.#landedUntil;
    const [version] = await Promise.all([
      this.#land(flightsIn(this.#flights.landings, { from, until: at }), at),
      this.#recordHours(from, at),
    ]);
    // Nobody reads what is online before the next departures ask.
    await Promise.all([
      version === null ? null : this.#played.awaitOnline(version),
      this.#played.advance(at),
    ]);
    this.#landedUntil = at;
  }

  /** Answers the table's version that holds them, null when none have landed. */
  async #land([first, end]: readonly [number, number], at: Micros): Promise<number | null> {
    if (first === end) return null;
    const { ids, times, origins, destinations, numbers } = this.#flights.landings;
    const rows = Array.from({ length: end - first }, (_, index) => {
      const flight = first + index;
      return {
        flight_id: ids[flight],
        landed_at: formatInstant(micros(times[flight]!)),
        origin: origins[flight],
        destination: destinations[flight],
        delay: numbers[flight],
        late: numbers[flight]! > LATE_AFTER_MINUTES,
      };
    });
    return await this.#played.append(LANDINGS, rows, at / MINUTE_MICROS);
  }

  /** Departures of each hour that has ended since. */
  async #recordHours(before: Micros, at: Micros): Promise<void> {
    const { departures, loadedUntil } = this.#flights;
    const { ids, times, origins, destinations } = departures;
    const last = Math.floor(at / HOUR_MICROS);
    for (let hour = Math.floor(before / HOUR_MICROS); hour < last; hour += 1) {
      const span = {
        from: Math.max(loadedUntil, hour * HOUR_MICROS),
        until: (hour + 1) * HOUR_MICROS,
      };
      const [first, end] = flightsIn(departures, span);
      if (first === end) continue;
      const rows = Array.from({ length: end - first }, (_, index) => {
        const flight = first + index;
        return {
          flight_id: ids[flight],
          departed_at: formatInstant(micros(times[flight]!)),
          origin: origins[flight],
          destination: destinations[flight],
          distance: this.#distance(flight),
        };
      });
      await this.#played.append(DEPARTURES, rows, hour);
    }
  }

  #askedAt(flight: number): AskedFlight {
    const { ids, origins, destinations } = this.#flights.departures;
    return {
      id: ids[flight]!,
      origin: origins[flight]!,
      destination: destinations[flight]!,
      distance: this.#distance(flight),
    };
  }

  #distance(flight: number): number {
    const { kilometres, departures } = this.#flights;
    const [miles, at] = [departures.numbers[flight]!, departures.times[flight]!];
    const isStaged = kilometres !== null && at >= kilometres.from && at < kilometres.until;
    return isStaged ? Math.round(miles * KILOMETRES_PER_MILE) : miles;
  }
}

/** The slots whose minute lies in `[from, until)`. */
export function* slotsBetween(from: Micros, until: Micros): Generator<number> {
  for (let slot = slotOf(from); sampledMinute(slot) < until; slot += 1) {
    if (sampledMinute(slot) >= from) yield slot;
  }
}
