import { expect } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { formatInstant, micros, parseInstant } from '../../src/base/time.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import type { HttpClient } from './http-client.ts';

export const FLIGHTS = 300;
const START = present(parseInstant('2001-01-01T00:00:00Z'), 'the start');
const MINUTE_MICROS = 60_000_000;

/** Tables of some flights, and a training set that is declared on them. */
export async function prepareFlights(client: HttpClient): Promise<void> {
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    await client.json('POST', '/api/v1/tables', { namespace: 'default', name, columns });
  }
  const minute = (at: number): string => formatInstant(micros(START + at * MINUTE_MICROS));
  const flights = Array.from({ length: FLIGHTS }, (_, id) => {
    const key = { flight_id: id, origin: 'ORD', destination: `D${id % 7}` };
    return {
      departures: { ...key, departed_at: minute(id), distance: id },
      landings: { ...key, landed_at: minute(id + 90), delay: id % 60, late: id % 5 === 0 },
    };
  });
  for (const name of ['departures', 'landings'] as const) {
    const answer = await client.call({
      method: 'POST',
      path: `/api/v1/tables/default/${name}/rows`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: Buffer.from(flights.map((one) => JSON.stringify(one[name])).join('\n')),
    });
    expect(answer.status).toBe(200);
  }
  const declared = flightSections();
  delete declared['training_sets']!['late_train']!['require'];
  await client.json('POST', '/api/v1/apply', { declared });
}
