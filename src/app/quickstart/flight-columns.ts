import { assert } from '../../base/assert.ts';
import { joinedDoubles } from '../../base/joined-doubles.ts';
import type { Micros } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import { DEPARTURES, LANDINGS, type FlightFile } from './flight-files.ts';

/** Flights of a prepared file as columns, in order of their time. */
export interface FlightColumns {
  readonly ids: Float64Array;
  /** Microseconds. */
  readonly times: Float64Array;
  readonly origins: readonly string[];
  readonly destinations: readonly string[];
  /** Miles of a departure, minutes of delay of a landing. */
  readonly numbers: Int32Array;
}

/** What tells departures and landings apart, besides their time. */
const NUMBERS = { [DEPARTURES.name]: 'distance', [LANDINGS.name]: 'delay' } as const;

/** The flights with a time in `[from, until)`. */
export async function readFlights(
  analytics: Pick<Analytics, 'scratch'>,
  file: FlightFile & { readonly path: string },
  span: { readonly from: Micros; readonly until: Micros },
): Promise<FlightColumns> {
  const { name, columns, at, path } = file;
  assert(at !== null && name !== 'airports', 'a file of flights');
  return await analytics.scratch(async (scratch) => {
    const flights =
      `FROM (${scratch.rowsOf([{ path, partitionValues: {} }], columns)}) ` +
      `WHERE ${at} >= make_timestamptz(${span.from}) AND ${at} < make_timestamptz(${span.until})`;
    // Texts by number: a million copies of some hundred names take seconds to read.
    const airport = scratch.table('airport');
    const distinct = `SELECT DISTINCT unnest([origin, destination]) AS name ${flights}`;
    await scratch.run(`CREATE TYPE ${airport} AS ENUM (SELECT name FROM (${distinct}))`);
    const [[names]] = (await scratch.rows(`SELECT enum_range(NULL::${airport})::VARCHAR[]`)) as [
      [{ readonly items: readonly string[] }],
    ];
    const numbers = [
      'flight_id',
      `epoch_us(${at})`,
      `enum_code(origin::${airport})`,
      `enum_code(destination::${airport})`,
      NUMBERS[name],
    ].map((sql) => `CAST(${sql} AS DOUBLE)`);
    const parts: (readonly Float64Array[])[] = [];
    for await (const { columns: part } of scratch.doubles(
      `SELECT ${numbers.join(', ')} ${flights}`,
    )) {
      parts.push(part.map((column) => column.slice()));
    }
    const [ids, times, origins, destinations, values] = numbers.map((_, index) =>
      joinedDoubles(parts.map((part) => part[index]!)),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const named = (codes: Float64Array): string[] =>
      Array.from(codes, (code) => names.items[code]!);
    return {
      ids,
      times,
      origins: named(origins),
      destinations: named(destinations),
      numbers: Int32Array.from(values),
    };
  });
}

/** The indices of the flights in `[from, until)`, as a half-open range. */
export function flightsIn(
  { times }: FlightColumns,
  span: { readonly from: number; readonly until: number },
): readonly [number, number] {
  return [lowerBound(times, span.from), lowerBound(times, span.until)];
}

function lowerBound(sorted: Float64Array, bound: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
