import { describe, expect, it } from 'vitest';
import { micros, parseInstant, type Micros } from '../../base/time.ts';
import type { AskedFlight } from './flight-client.ts';
import type { FlightColumns } from './flight-columns.ts';
import { FlightReplay, slotsBetween, type Flights, type Played } from './flight-replay.ts';
import { MINUTE_MICROS, sampledMinute, SLOT_MINUTES, slotOf } from './sampled-minutes.ts';

const BEGINS = parseInstant('2001-03-01T00:00:00Z')!;
const UNTIL = micros(BEGINS + 6 * 60 * MINUTE_MICROS);
const WHOLE = { from: BEGINS, until: UNTIL };

/** One flight a minute, landing half a minute after the next one has left. */
function flights(more: Partial<Flights> = {}): Flights {
  const count = (UNTIL - BEGINS) / MINUTE_MICROS;
  const columns = (delay: number, numbers: (flight: number) => number): FlightColumns => ({
    ids: Float64Array.from({ length: count }, (_, flight) => flight),
    times: Float64Array.from(
      { length: count },
      (_, flight) => BEGINS + flight * MINUTE_MICROS + delay,
    ),
    origins: Array.from({ length: count }, () => 'ORD'),
    destinations: Array.from({ length: count }, () => 'LGA'),
    numbers: Int32Array.from({ length: count }, (_, flight) => numbers(flight)),
  });
  return {
    departures: columns(0, () => 100),
    landings: columns(1.5 * MINUTE_MICROS, (flight) => flight % 30),
    loadedUntil: BEGINS,
    from: BEGINS,
    kilometres: null,
    ...more,
  };
}

interface Row {
  readonly flight_id: number;
  readonly landed_at?: string;
  readonly departed_at?: string;
  readonly late?: boolean;
  readonly distance?: number;
}

/** Keeps what was done, as the system would: a sequence number is taken once. */
class Recorded implements Played {
  readonly rows: Row[] = [];
  readonly asked: (AskedFlight & { readonly at: Micros })[] = [];
  readonly sequences = new Map<string, number>();
  now: Micros = BEGINS;
  shown = 0;
  #version = 0;

  append(
    file: { readonly name: string },
    rows: readonly object[],
    sequence: number,
  ): Promise<number> {
    const newest = this.sequences.get(file.name) ?? -1;
    if (sequence > newest) {
      this.sequences.set(file.name, sequence);
      this.rows.push(...(rows as Row[]));
      this.#version += 1;
    }
    return Promise.resolve(this.#version);
  }

  awaitOnline(version: number): Promise<void> {
    this.shown = version;
    return Promise.resolve();
  }

  advance(to: Micros): Promise<void> {
    this.now = to;
    return Promise.resolve();
  }

  hasAsked(id: number): Promise<boolean> {
    return Promise.resolve(this.asked.some((flight) => flight.id === id));
  }

  ask(flight: AskedFlight): Promise<void> {
    this.asked.push({ ...flight, at: this.now });
    return Promise.resolve();
  }

  future(): readonly Row[] {
    return this.rows.filter((row) => {
      const at = parseInstant(row.landed_at ?? row.departed_at!)!;
      return at >= this.now;
    });
  }
}

async function played(
  replay: FlightReplay,
  span: { readonly from: Micros; readonly until: Micros },
  look: () => void = () => undefined,
): Promise<void> {
  let last: number | null = null;
  for (const slot of slotsBetween(span.from, span.until)) {
    await replay.play(slot, last === null);
    last = slot;
    look();
  }
  await replay.finish(span.until);
}

describe('a replay', () => {
  it('plays one minute in ten, any of the ten', () => {
    const day = micros(BEGINS + 24 * 60 * MINUTE_MICROS);
    const minutes = [...slotsBetween(BEGINS, day)].map(
      (slot) => (sampledMinute(slot) / MINUTE_MICROS) % SLOT_MINUTES,
    );
    expect(minutes).toHaveLength(144);
    expect(new Set(minutes).size).toBe(SLOT_MINUTES);
    expect([...slotsBetween(BEGINS, day)].map((slot) => slotOf(sampledMinute(slot)))).toEqual([
      ...slotsBetween(BEGINS, day),
    ]);
  });

  it('appends everything that happened, and nothing before it did', async () => {
    const recorded = new Recorded();
    const replay = new FlightReplay(flights(), recorded);
    await played(replay, WHOLE, () => {
      expect(recorded.future()).toEqual([]);
    });
    const landed = recorded.rows.filter((row) => row.landed_at !== undefined);
    const departed = recorded.rows.filter((row) => row.departed_at !== undefined);
    expect(departed.map((row) => row.flight_id)).toEqual(
      Array.from({ length: 360 }, (_, id) => id),
    );
    expect(landed.map((row) => row.flight_id)).toEqual(Array.from({ length: 359 }, (_, id) => id));
    expect(landed[15]).toMatchObject({ late: false });
    expect(landed[16]).toMatchObject({ late: true });
    for (const { id, at } of recorded.asked) expect(at).toBe(BEGINS + id * MINUTE_MICROS);
    expect(recorded.asked).toHaveLength(36);
  });

  it('broken off at any minute goes on to the same end', async () => {
    const whole = new Recorded();
    await played(new FlightReplay(flights(), whole), WHOLE);
    for (const broken of [1, 7, 20]) {
      const recorded = new Recorded();
      let left = broken;
      const failing: Played = {
        append: (file, rows, sequence) => recorded.append(file, rows, sequence),
        awaitOnline: (version) => recorded.awaitOnline(version),
        advance: (to) => recorded.advance(to),
        hasAsked: (id) => recorded.hasAsked(id),
        ask: async (flight) => {
          await recorded.ask(flight);
          left -= 1;
          if (left === 0) throw new Error('killed');
        },
      };
      await expect(played(new FlightReplay(flights(), failing), WHOLE)).rejects.toThrow('killed');
      const rest = { from: recorded.now, until: UNTIL };
      await played(new FlightReplay(flights(rest), recorded), rest);
      expect(recorded.rows).toEqual(whole.rows);
      expect(recorded.asked).toEqual(whole.asked);
    }
  });

  it('played in two stretches is that of one', async () => {
    const whole = new Recorded();
    await played(new FlightReplay(flights(), whole), WHOLE);
    const recorded = new Recorded();
    const between = micros(BEGINS + 123 * MINUTE_MICROS);
    for (const span of [
      { from: BEGINS, until: between },
      { from: between, until: UNTIL },
    ]) {
      await played(new FlightReplay(flights(span), recorded), span);
      expect(recorded.now).toBe(span.until);
    }
    expect(recorded.asked).toEqual(whole.asked);
    for (const kind of ['landed_at', 'departed_at'] as const) {
      const of = ({ rows }: Recorded) => rows.filter((row) => row[kind] !== undefined);
      expect(of(recorded)).toEqual(of(whole));
    }
  });

  it('does not stop at minutes in which nothing departs', async () => {
    const whole = flights();
    const quiet = { from: 60 * MINUTE_MICROS, until: 180 * MINUTE_MICROS };
    const isQuiet = (_: number, flight: number) => {
      const at = whole.departures.times[flight]! - BEGINS;
      return at >= quiet.from && at < quiet.until;
    };
    const { ids, times, numbers, ...texts } = whole.departures;
    const departures = {
      ...texts,
      ids: ids.filter((id, flight) => !isQuiet(id, flight)),
      times: times.filter((time, flight) => !isQuiet(time, flight)),
      numbers: numbers.filter((number, flight) => !isQuiet(number, flight)),
    };
    const recorded = new Recorded();
    const stops: Micros[] = [];
    await played(new FlightReplay({ ...whole, departures }, recorded), WHOLE, () => {
      stops.push(recorded.now);
    });
    expect(new Set(stops).size).toBe(24);
    const landed = recorded.rows.filter((row) => row.landed_at !== undefined);
    expect(landed).toHaveLength(359);
  });

  it('stages kilometres in requests and records of their time alone', async () => {
    const recorded = new Recorded();
    const kilometres = {
      from: micros(BEGINS + 60 * MINUTE_MICROS),
      until: micros(BEGINS + 120 * MINUTE_MICROS),
    };
    const replay = new FlightReplay(flights({ kilometres }), recorded);
    await played(replay, WHOLE);
    const isStaged = (id: number): boolean => id >= 60 && id < 120;
    for (const { id, distance } of recorded.asked) expect(distance).toBe(isStaged(id) ? 161 : 100);
    for (const { flight_id: id, distance } of recorded.rows) {
      if (distance !== undefined) expect(distance).toBe(isStaged(id) ? 161 : 100);
    }
  });
});
