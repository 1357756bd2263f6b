import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';

/** Landings of the last weeks up to now, which a live workspace's windows reach. */

export const AIRPORTS = 229;
const DAYS = 40;
const DAY_MS = 86_400_000;
const LINES_A_PART = 100_000;

export const LANDINGS = {
  namespace: 'default',
  name: 'landings',
  columns: FLIGHT_TABLES.landings,
} as const;

/** Two of the flights' views: 2 x 4 windows x 3 aggregates, and nothing of the request. */
export const SECTIONS = sections();

function sections() {
  const { sources, entities, views } = flightSections();
  const windowed = ['origin_delays', 'destination_delays'] as const;
  return {
    sources: { landings: sources!['landings'] },
    entities: {
      origin: { keys: { origin: 'string' } },
      destination: entities!['destination'],
    },
    views: Object.fromEntries(windowed.map((name) => [name, views![name]])),
    services: { late_v1: { features: windowed.map((name) => `${name}.*`) } },
  };
}

/** Of a number whose fraction spreads: busy airports come more often. */
export function airportOf(number: number): string {
  return `A${Math.floor(AIRPORTS * (number % 1) ** 2)}`;
}

/** Newline-delimited JSON in parts that one append takes. */
export function* landingLines(count: number): Generator<string> {
  const end = Date.now();
  const step = (DAYS * DAY_MS) / count;
  for (let first = 0; first < count; first += LINES_A_PART) {
    const size = Math.min(LINES_A_PART, count - first);
    yield Array.from({ length: size }, (_, index) => {
      const id = first + index;
      const delay = ((id * 37) % 210) - 30;
      return JSON.stringify({
        flight_id: id,
        landed_at: new Date(end - (count - id) * step).toISOString(),
        origin: airportOf(id * 0.6180339887),
        destination: airportOf(id * 0.7548776662),
        delay,
        late: delay > 15,
      });
    }).join('\n');
  }
}
