import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Times whose rows no training set takes. */
export const exclusions: Migration = {
  name: '0014-exclusions',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'features_exclusions')
        .addColumn('id', type.text, (column) => column.primaryKey())
        // The caller's own name for it: recording it again changes nothing.
        .addColumn('key', type.text, (column) => column.unique())
        .addColumn('source', type.text)
        .addColumn('from_at', type.integer, (column) => column.notNull())
        .addColumn('until_at', type.integer)
        .addColumn('reason', type.text, (column) => column.notNull())
        .addColumn('actor', type.text, (column) => column.notNull())
        .addColumn('recorded_at', type.integer, (column) => column.notNull())
        .addColumn('withdrawn_at', type.integer),
    ];
  },
};
