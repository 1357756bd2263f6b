import type { Column } from '../../formats/delta/schema.ts';

/** The flights example in small, for tests: its declaration and the tables it is about. */

const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });

export const FLIGHT_TABLES = {
  departures: [
    column('flight_id', 'long'),
    column('departed_at', 'timestamp'),
    column('origin', 'string'),
    column('destination', 'string'),
    column('distance', 'integer'),
  ],
  landings: [
    column('flight_id', 'long'),
    column('landed_at', 'timestamp'),
    column('origin', 'string'),
    column('destination', 'string'),
    column('delay', 'integer'),
    column('late', 'boolean'),
  ],
  airports: [column('iata', 'string'), column('zone', 'string')],
} as const satisfies Readonly<Record<string, readonly Column[]>>;

const delays = {
  n: { agg: 'count' },
  late: { agg: 'avg', of: 'cast(late as double)' },
  delay: { agg: 'avg', of: 'clamp(delay, -30, 180)' },
};
const windows = ['2h', '1d', '7d', '30d'];

/** The feature sections of the walkthrough's `millwright.yaml`, a fresh copy each time. */
export function flightSections(): Record<string, Record<string, Record<string, unknown>>> {
  return structuredClone({
    sources: {
      departures: {
        kind: 'events',
        table: 'departures',
        id: 'flight_id',
        event_time: { column: 'departed_at', timezone: 'UTC' },
        columns: { origin: 'string', destination: 'string', distance: 'int32' },
      },
      landings: {
        kind: 'events',
        table: 'landings',
        id: 'flight_id',
        event_time: { column: 'landed_at', timezone: 'UTC' },
        columns: { origin: 'string', destination: 'string', delay: 'int32', late: 'boolean' },
      },
    },
    entities: {
      origin: {
        keys: { origin: 'string' },
        time_zone: { table: 'airports', key: 'iata', value: 'zone' },
      },
      destination: { keys: { destination: 'string' } },
      route: { keys: { origin: 'string', destination: 'string' } },
    },
    views: {
      origin_delays: { entity: 'origin', source: 'landings', windows, features: delays },
      destination_delays: { entity: 'destination', source: 'landings', windows, features: delays },
      route_delays: { entity: 'route', source: 'landings', windows, features: delays },
    },
    services: {
      late_v1: {
        features: ['origin_delays.*', 'destination_delays.*', 'route_delays.*'],
        request: {
          distance: 'int32',
          hour: 'hour(local(T, origin))',
          weekday: 'weekday(local(T, origin))',
        },
      },
    },
    labels: { late: { source: 'landings', match: 'flight_id', value: 'late', mature: '12h' } },
    training_sets: {
      late_train: {
        spine: { from: 'departures', range: { last: '31d', until: 'now - 12h' } },
        service: 'late_v1',
        label: 'late',
        require: 'full_windows',
      },
    },
  });
}
