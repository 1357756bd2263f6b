import { sql } from 'kysely';
import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Tables that users created, and the batches sent to them; rows and schemas are in the lake. */
export const tables: Migration = {
  name: '0002-tables',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'tables_tables')
        .addColumn('namespace', type.text, (column) => column.notNull())
        .addColumn('name', type.text, (column) => column.notNull())
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('created_by', type.text, (column) => column.notNull())
        .addColumn('last_sequence', type.integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('tables_tables_pk', ['namespace', 'name']),
      createTable(queries, dialect, 'tables_batches')
        .addColumn('namespace', type.text, (column) => column.notNull())
        .addColumn('name', type.text, (column) => column.notNull())
        .addColumn('batch', type.text, (column) => column.notNull())
        .addColumn('sequence', type.integer, (column) => column.notNull())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('version', type.integer)
        .addColumn('expires_at', type.integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('tables_batches_pk', ['namespace', 'name', 'batch'])
        .addForeignKeyConstraint('tables_batches_table', ['namespace', 'name'], 'tables_tables', [
          'namespace',
          'name',
        ])
        .addCheckConstraint('tables_batches_state', sql`state in ('pending', 'committed')`),
      queries.schema
        .createIndex('tables_batches_by_expiry')
        .on('tables_batches')
        .columns(['namespace', 'name', 'expires_at']),
    ];
  },
};
