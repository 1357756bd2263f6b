import { columnTypes, createTable, numberedKey } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** What the newest review of an endpoint's model found, and every change that reviews saw. */
export const maturity: Migration = {
  name: '0012-maturity',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'maturity_current')
        .addColumn('endpoint', type.text, (column) => column.primaryKey())
        .addColumn('level', type.integer, (column) => column.notNull())
        // JSON: the state of each check by its id.
        .addColumn('states', type.text, (column) => column.notNull())
        // Domain time.
        .addColumn('at', type.integer, (column) => column.notNull()),
      createTable(queries, dialect, 'maturity_changes')
        .addColumn('id', type.integer, numberedKey(dialect))
        .addColumn('endpoint', type.text, (column) => column.notNull())
        .addColumn('model', type.text, (column) => column.notNull())
        .addColumn('version', type.integer, (column) => column.notNull())
        .addColumn('subject', type.text, (column) => column.notNull())
        .addColumn('former', type.text)
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('why', type.text, (column) => column.notNull())
        .addColumn('evidence', type.text, (column) => column.notNull())
        .addColumn('at', type.integer, (column) => column.notNull())
        .addColumn('wall', type.integer, (column) => column.notNull()),
      queries.schema
        .createIndex('maturity_changes_by_endpoint')
        .on('maturity_changes')
        .columns(['endpoint', 'id']),
    ];
  },
};
