import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/**
 * Monitors as declared, what each evaluation of them found, and the quality that versions are
 * compared with.
 */
export const monitoring: Migration = {
  name: '0010-monitoring',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'monitoring_monitors')
        .addColumn('name', type.text, (column) => column.primaryKey())
        .addColumn('spec', type.text, (column) => column.notNull())
        .addColumn('applied_at', type.integer, (column) => column.notNull())
        .addColumn('applied_by', type.text, (column) => column.notNull()),
      createTable(queries, dialect, 'monitoring_evaluations')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('monitor', type.text, (column) => column.notNull())
        // Domain time.
        .addColumn('at', type.integer, (column) => column.notNull())
        .addColumn('wall', type.integer, (column) => column.notNull())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('seconds', type.real, (column) => column.notNull())
        // JSON: versions, and the checks by whether they are ok.
        .addColumn('versions', type.text, (column) => column.notNull())
        .addColumn('checks', type.text, (column) => column.notNull())
        .addColumn('quiet', type.text, (column) => column.notNull()),
      queries.schema
        .createIndex('monitoring_evaluations_by_at')
        .unique()
        .on('monitoring_evaluations')
        .columns(['monitor', 'at']),
      createTable(queries, dialect, 'monitoring_references')
        .addColumn('monitor', type.text, (column) => column.notNull())
        .addColumn('version', type.integer, (column) => column.notNull())
        // What was measured, and over how many days: another one is another reference.
        .addColumn('measure', type.text, (column) => column.notNull())
        .addColumn('body', type.text, (column) => column.notNull())
        .addPrimaryKeyConstraint('monitoring_references_pk', ['monitor', 'version', 'measure']),
    ];
  },
};
