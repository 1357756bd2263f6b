import { sql, type Compilable, type Kysely } from 'kysely';
import { columnTypes, createTable, numberedKey } from '../dialect.ts';
import { rawQuery } from '../kysely-builder.ts';
import type { Migration } from '../migrator.ts';
import type { Dialect } from '../port.ts';

/** The platform's tables: the workspace, events and their cursors, timers, outbox. */
export const platform: Migration = {
  name: '0001-platform',
  up: (queries, dialect) => [
    workspace(queries, dialect),
    ...events(queries, dialect),
    cursors(queries, dialect),
    ...timers(queries, dialect),
    ...outbox(queries, dialect),
    ...idempotencyKeys(queries, dialect),
  ],
};

function workspace(queries: Kysely<unknown>, dialect: Dialect): Compilable {
  const type = columnTypes(dialect);
  return createTable(queries, dialect, 'workspace')
    .addColumn('id', type.text, (column) => column.primaryKey())
    .addColumn('name', type.text, (column) => column.notNull())
    .addColumn('clock', type.text, (column) => column.notNull())
    .addColumn('now', type.integer, (column) => column.notNull())
    .addColumn('created_at', type.integer, (column) => column.notNull())
    .addCheckConstraint('workspace_clock', sql`clock in ('live', 'replay')`);
}

function events(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const table = createTable(queries, dialect, 'events')
    .addColumn('seq', type.integer, numberedKey(dialect))
    .addColumn('wall', type.integer, (column) => column.notNull())
    .addColumn('now', type.integer, (column) => column.notNull())
    .addColumn('actor', type.text, (column) => column.notNull())
    .addColumn('kind', type.text, (column) => column.notNull())
    .addColumn('subject', type.text, (column) => column.notNull())
    .addColumn('data', type.text, (column) => column.notNull());
  const index = queries.schema
    .createIndex('events_by_subject')
    .on('events')
    .columns(['subject', 'seq']);
  return dialect === 'sqlite' ? [table, index] : [table, index, ...commitOrder(queries)];
}

/**
 * PostgreSQL numbers rows when they are inserted but shows them when they commit: a cursor that has
 * read 8 would never see a 7 that commits later. A lock held from before the number is drawn until
 * the transaction ends makes the two orders one. (1296648530 is `MILR`, to keep out of the way of
 * other users of advisory locks.)
 */
function commitOrder(queries: Kysely<unknown>): readonly Compilable[] {
  return [
    rawQuery(
      queries,
      sql`create function events_in_commit_order() returns trigger language plpgsql as $body$
        begin
          perform pg_advisory_xact_lock(1296648530, (tg_relid::bigint - 2147483648)::integer);
          return null;
        end
      $body$`,
    ),
    rawQuery(
      queries,
      sql`create trigger events_in_commit_order before insert on events
        for each statement execute function events_in_commit_order()`,
    ),
  ];
}

/** How far each durable consumer has read the events. */
function cursors(queries: Kysely<unknown>, dialect: Dialect): Compilable {
  const type = columnTypes(dialect);
  return createTable(queries, dialect, 'events_cursors')
    .addColumn('name', type.text, (column) => column.primaryKey())
    .addColumn('position', type.integer, (column) => column.notNull())
    .addColumn('moved_at', type.integer, (column) => column.notNull());
}

function timers(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const table = createTable(queries, dialect, 'timers')
    .addColumn('id', type.text, (column) => column.primaryKey())
    .addColumn('handler', type.text, (column) => column.notNull())
    .addColumn('subject', type.text, (column) => column.notNull())
    .addColumn('clock', type.text, (column) => column.notNull())
    .addColumn('due', type.integer, (column) => column.notNull())
    .addColumn('payload', type.text, (column) => column.notNull())
    .addColumn('state', type.text, (column) => column.notNull())
    .addColumn('attempts', type.integer, (column) => column.notNull())
    .addColumn('fire_at', type.integer, (column) => column.notNull())
    .addColumn('last_error', type.text)
    .addUniqueConstraint('timers_subject', ['handler', 'subject'])
    .addCheckConstraint('timers_clock', sql`clock in ('now', 'wall')`)
    .addCheckConstraint('timers_state', sql`state in ('waiting', 'dead')`);
  const index = queries.schema
    .createIndex('timers_by_due')
    .on('timers')
    .columns(['state', 'clock', 'fire_at', 'id']);
  return [table, index];
}

function outbox(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const table = createTable(queries, dialect, 'outbox')
    .addColumn('id', type.text, (column) => column.primaryKey())
    .addColumn('kind', type.text, (column) => column.notNull())
    .addColumn('target', type.text, (column) => column.notNull())
    .addColumn('payload', type.text, (column) => column.notNull())
    .addColumn('state', type.text, (column) => column.notNull())
    .addColumn('attempts', type.integer, (column) => column.notNull())
    .addColumn('next_at', type.integer, (column) => column.notNull())
    .addColumn('last_error', type.text)
    .addColumn('created_at', type.integer, (column) => column.notNull())
    .addColumn('finished_at', type.integer)
    .addCheckConstraint('outbox_state', sql`state in ('pending', 'delivered', 'dead')`);
  const index = queries.schema
    .createIndex('outbox_by_next')
    .on('outbox')
    .columns(['state', 'next_at', 'id']);
  return [table, index];
}

/** Answers remembered for repeated POSTs; `reply` is null while the first one is under way. */
function idempotencyKeys(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const table = createTable(queries, dialect, 'idempotency_keys')
    .addColumn('key', type.text, (column) => column.primaryKey())
    .addColumn('request_hash', type.text, (column) => column.notNull())
    .addColumn('reply', type.text)
    .addColumn('expires_at', type.integer, (column) => column.notNull());
  const index = queries.schema
    .createIndex('idempotency_keys_by_expiry')
    .on('idempotency_keys')
    .column('expires_at');
  return [table, index];
}
