import { fileURLToPath } from 'node:url';
import type { Column } from '../../src/formats/delta/schema.ts';
import { must } from './python.ts';

/** Purchases of customers, requests to foretell one, and what came of them. */

const DAY = 86_400_000_000;
export const START = Date.parse('2025-01-01T00:00:00Z') * 1000;
/** The first 90 days fill the longest window; requests are spread over the rest. */
export const FIRST_REQUEST_DAY = 90;
export const DAYS = 120;
export const CUSTOMERS = 20_000;

const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });

export const PURCHASE_TABLES = {
  purchases: [
    column('purchase_id', 'long'),
    column('at', 'timestamp'),
    column('customer', 'string'),
    column('amount', 'double'),
  ],
  requests: [column('request_id', 'long'), column('at', 'timestamp'), column('customer', 'string')],
  outcomes: [column('request_id', 'long'), column('at', 'timestamp'), column('bought', 'boolean')],
} as const satisfies Readonly<Record<string, readonly Column[]>>;

export type PurchaseTable = keyof typeof PURCHASE_TABLES;

/** Few customers buy much, many buy little. */
function customer(salt: number): string {
  return `'c' || (${CUSTOMERS} * pow((hash(i * 7 + ${salt}) % 1000000) / 1e6, 2))::INTEGER`;
}

/** The rows of each table, by a fixed hash. */
export function purchaseSql(sizes: {
  readonly events: number;
  readonly rows: number;
}): Readonly<Record<PurchaseTable, string>> {
  const { events, rows } = sizes;
  const bought = `make_timestamptz(${START} + (i * ${(DAYS * DAY) / events})::BIGINT)`;
  const first = START + FIRST_REQUEST_DAY * DAY;
  const step = ((DAYS - FIRST_REQUEST_DAY) * DAY) / rows;
  const asked = (later: number): string =>
    `make_timestamptz(${first + later} + (i * ${step})::BIGINT)`;
  return {
    purchases:
      `SELECT i AS purchase_id, ${bought} AS at, ${customer(1)} AS customer, ` +
      `(hash(i * 7 + 2) % 100000) / 100 AS amount FROM range(${events}) AS r(i)`,
    requests:
      `SELECT i AS request_id, ${asked(0)} AS at, ${customer(3)} AS customer ` +
      `FROM range(${rows}) AS r(i)`,
    outcomes:
      `SELECT i AS request_id, ${asked(3_600_000_000)} AS at, hash(i * 7 + 5) % 5 = 0 AS bought ` +
      `FROM range(${rows}) AS r(i)`,
  };
}

/** One view of 4 windows and 3 aggregates. */
export function purchaseSections(): Record<string, Record<string, Record<string, unknown>>> {
  const events = (table: PurchaseTable, id: string, columns: object) => ({
    kind: 'events',
    table,
    id,
    event_time: { column: 'at', timezone: 'UTC' },
    columns,
  });
  return {
    sources: {
      purchases: events('purchases', 'purchase_id', { customer: 'string', amount: 'double' }),
      requests: events('requests', 'request_id', { customer: 'string' }),
      outcomes: events('outcomes', 'request_id', { bought: 'boolean' }),
    },
    entities: { customer: { keys: { customer: 'string' } } },
    views: {
      spending: {
        entity: 'customer',
        source: 'purchases',
        windows: ['1d', '7d', '30d', '90d'],
        features: {
          n: { agg: 'count' },
          total: { agg: 'sum', of: 'amount' },
          mean: { agg: 'avg', of: 'amount' },
        },
      },
    },
    services: { buys_v1: { features: ['spending.*'] } },
    labels: {
      bought: { source: 'outcomes', match: 'request_id', value: 'bought', mature: '2h' },
    },
    training_sets: {
      buys_train: {
        spine: { from: 'requests', range: { last: '30d', until: 'now' } },
        service: 'buys_v1',
        label: 'bought',
        require: 'full_windows',
      },
    },
  };
}

const ENTRY = fileURLToPath(new URL('./purchases-process.ts', import.meta.url));

/** Writes the tables in a process of its own, so that its memory is none of the measured one's. */
export async function makePurchases(
  folder: string,
  sizes: { readonly events: number; readonly rows: number },
): Promise<void> {
  await must(process.execPath, [ENTRY, folder, `${sizes.events}`, `${sizes.rows}`]);
}
