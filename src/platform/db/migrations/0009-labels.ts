import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** How far the declared label of each endpoint is joined, as the engine told last. */
export const labels: Migration = {
  name: '0009-labels',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'predictions_label_sources')
        .addColumn('endpoint', type.text, (column) => column.primaryKey())
        .addColumn('label', type.text, (column) => column.notNull())
        .addColumn('source_table', type.text, (column) => column.notNull())
        .addColumn('mature_us', type.integer, (column) => column.notNull())
        .addColumn('table_version', type.integer)
        .addColumn('row_count', type.integer, (column) => column.notNull())
        .addColumn('matched', type.integer, (column) => column.notNull())
        .addColumn('corrected', type.integer, (column) => column.notNull())
        .addColumn('orphans', type.integer, (column) => column.notNull())
        .addColumn('newest_at', type.integer)
        .addColumn('error', type.text)
        .addColumn('updated_wall', type.integer, (column) => column.notNull()),
    ];
  },
};
