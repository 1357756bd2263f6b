import { assert } from '../../base/assert.ts';
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

/** The flights with a time in `[from, until)`: some hundred megabytes for four months. */
export async function readFlights(
  analytics: Pick<Analytics, 'select'>,
  file: FlightFile & { readonly path: string },
  span: { readonly from: Micros; readonly until: Micros },
): Promise<FlightColumns> {
  const { name, columns, at, path } = file;
  assert(at !== null && name !== 'airports', 'a file of flights');
  const number = NUMBERS[name]!;
  const expressions = [
    'flight_id::DOUBLE',
    `epoch_us(${at})::DOUBLE`,
    'origin',
    'destination',
    `${number}::DOUBLE`,
  ];
  const [ids, times, numbers]: [number[], number[], number[]] = [[], [], []];
  const [origins, destinations]: [string[], string[]] = [[], []];
  const names = new Map<string, string>();
  // A million copies of some hundred names are a million strings otherwise.
  const once = (text: string): string => {
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, text);
    return text;
  };
  const files = [{ path, partitionValues: {} }];
  for await (const piece of analytics.select({ files, columns, expressions })) {
    const [id, time, origin, destination, value] = piece as [
      number[],
      number[],
      string[],
      string[],
      number[],
    ];
    for (let row = 0; row < time.length; row += 1) {
      if (time[row]! < span.from || time[row]! >= span.until) continue;
      ids.push(id[row]!);
      times.push(time[row]!);
      origins.push(once(origin[row]!));
      destinations.push(once(destination[row]!));
      numbers.push(value[row]!);
    }
  }
  return {
    ids: Float64Array.from(ids),
    times: Float64Array.from(times),
    origins,
    destinations,
    numbers: Int32Array.from(numbers),
  };
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
