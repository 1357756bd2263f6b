import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Endpoints and the revisions of their routes. */
export const serving: Migration = {
  name: '0004-serving',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'serving_endpoints')
        .addColumn('name', type.text, (column) => column.primaryKey())
        .addColumn('model', type.text, (column) => column.notNull())
        .addColumn('key', type.text)
        .addColumn('sticky', type.text)
        .addColumn('durability', type.text, (column) => column.notNull())
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('current_revision', type.integer, (column) => column.notNull()),
      createTable(queries, dialect, 'serving_revisions')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('endpoint', type.text, (column) =>
          column.notNull().references('serving_endpoints.name'),
        )
        .addColumn('revision', type.integer, (column) => column.notNull())
        .addColumn('arms', type.text, (column) => column.notNull())
        .addColumn('salt', type.text, (column) => column.notNull())
        .addColumn('actor', type.text, (column) => column.notNull())
        .addColumn('reason', type.text, (column) => column.notNull())
        .addColumn('restores', type.integer)
        .addColumn('now', type.integer, (column) => column.notNull())
        .addColumn('wall', type.integer, (column) => column.notNull())
        .addColumn('hash', type.text, (column) => column.notNull())
        .addUniqueConstraint('serving_revisions_number', ['endpoint', 'revision']),
    ];
  },
};
