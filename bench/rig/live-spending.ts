import type { Column } from '../../src/formats/delta/schema.ts';

/** Events of customers up to now, and services of 50 and of 250 features over them. */

const DAYS = 30;
const DAY_MS = 86_400_000;
const LINES_A_PART = 50_000;
/** Of each view: with ten aggregates fifty features. */
const WINDOWS = [
  ['1h', '6h', '1d', '7d', '28d'],
  ['2h', '12h', '2d', '8d', '27d'],
  ['3h', '13h', '3d', '9d', '26d'],
  ['4h', '14h', '4d', '10d', '25d'],
  ['5h', '15h', '5d', '11d', '24d'],
];

const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });

export const SPENDING = {
  namespace: 'default',
  name: 'spending',
  columns: [
    column('event_id', 'long'),
    column('at', 'timestamp'),
    column('customer', 'string'),
    column('a', 'double'),
    column('b', 'double'),
    column('c', 'double'),
  ],
} as const;

const TEN = {
  n: { agg: 'count' },
  ...Object.fromEntries(
    ['a', 'b'].flatMap((of) =>
      ['sum', 'avg', 'min', 'max'].map((agg) => [`${of}_${agg}`, { agg, of }]),
    ),
  ),
  c_avg: { agg: 'avg', of: 'c' },
};

export function spendingSections(): Record<string, Record<string, unknown>> {
  const views = WINDOWS.map((windows, at) => [
    `v${at}`,
    { entity: 'customer', source: 'spending', windows, features: TEN },
  ]);
  return {
    sources: {
      spending: {
        kind: 'events',
        table: 'spending',
        id: 'event_id',
        event_time: { column: 'at', timezone: 'UTC' },
        columns: { customer: 'string', a: 'double', b: 'double', c: 'double' },
      },
    },
    entities: { customer: { keys: { customer: 'string' } } },
    views: Object.fromEntries(views) as Record<string, unknown>,
    services: {
      s50: { features: ['v0.*'] },
      s250: { features: WINDOWS.map((_, at) => `v${at}.*`) },
    },
  };
}

/** Newline-delimited JSON in parts that one append takes. */
export function* spendingLines(events: number, customers: number): Generator<string> {
  const end = Date.now();
  const step = (DAYS * DAY_MS) / events;
  for (let first = 0; first < events; first += LINES_A_PART) {
    const size = Math.min(LINES_A_PART, events - first);
    yield Array.from({ length: size }, (_, index) => {
      const id = first + index;
      return JSON.stringify({
        event_id: id,
        at: new Date(end - (events - id) * step).toISOString(),
        customer: `c${(id * 7919) % customers}`,
        a: ((id * 31) % 1000) / 8,
        b: ((id * 37) % 997) / 10,
        c: ((id * 41) % 991) / 100,
      });
    }).join('\n');
  }
}
