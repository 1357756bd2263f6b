import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import { present } from '../../src/base/assert.ts';
import type { Column } from '../../src/formats/delta/schema.ts';
import { compile } from '../../src/capabilities/features/compile.ts';
import type { CompiledService } from '../../src/capabilities/features/compiled.ts';
import { parseDefinitions } from '../../src/capabilities/features/definitions.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import type { NaiveEvent } from '../../src/capabilities/features/naive.ts';

/** Landings of flights for tests of the online half: a table's rows, and a service over them. */

export const LANDINGS = { namespace: 'default', name: 'landings' };

/** A row of `default.landings`, in the order of its columns. */
export interface Landing {
  readonly flight_id: number;
  readonly landed_at: string | null;
  readonly origin: string | null;
  readonly destination: string | null;
  readonly delay: number | null;
  readonly late: boolean | null;
}

/** The flights example's service; `change` edits the declared sections first. */
export function flightService(
  change: (sections: ReturnType<typeof flightSections>) => void = () => undefined,
): CompiledService {
  const sections = flightSections();
  change(sections);
  const schemas = new Map<string, readonly Column[]>(
    Object.entries(FLIGHT_TABLES).map(([name, columns]) => [`default.${name}`, columns]),
  );
  const zones = { origin: { ORD: 'America/Chicago' } };
  return present(
    compile(parseDefinitions(sections), { schemas, zones }).services.get('late_v1'),
    'the service',
  );
}

export function landing(at: {
  readonly id: number;
  readonly time: number;
  readonly origin?: string | null;
  readonly destination?: string | null;
  readonly delay?: number | null;
}): Landing {
  const { id, time, origin = 'ORD', destination = 'LGA', delay = 0 } = at;
  const late = delay === null ? null : delay > 15;
  const landedAt = formatInstant(micros(time));
  return { flight_id: id, landed_at: landedAt, origin, destination, delay, late };
}

/** The same rows as the naive reference takes them. */
export function naiveEvents(rows: readonly Landing[]): NaiveEvent[] {
  return rows.flatMap((row) => {
    if (row.landed_at === null) return [];
    const eventTime: Micros = present(parseInstant(row.landed_at), 'a time of a landing');
    return [{ id: row.flight_id, eventTime, row: { ...row } }];
  });
}
