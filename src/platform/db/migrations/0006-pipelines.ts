import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Pipeline runs, their steps, and each attempt at one. */
export const pipelines: Migration = {
  name: '0006-pipelines',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'pipelines_runs')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('folder', type.text, (column) => column.notNull())
        .addColumn('targets', type.text, (column) => column.notNull())
        .addColumn('is_forced', type.integer, (column) => column.notNull())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('is_cancelling', type.integer, (column) => column.notNull())
        .addColumn('actor', type.text, (column) => column.notNull())
        .addColumn('environment', type.text)
        .addColumn('error', type.text)
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('started_at', type.integer)
        .addColumn('finished_at', type.integer),
      queries.schema
        .createIndex('pipelines_runs_by_state')
        .on('pipelines_runs')
        .columns(['state', 'folder', 'id']),
      queries.schema
        .createIndex('pipelines_runs_by_folder')
        .on('pipelines_runs')
        .columns(['folder', 'id']),
      createTable(queries, dialect, 'pipelines_steps')
        .addColumn('run', type.text, (column) => column.notNull().references('pipelines_runs.id'))
        .addColumn('position', type.integer, (column) => column.notNull())
        .addColumn('stage', type.text, (column) => column.notNull())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('reasons', type.text, (column) => column.notNull())
        .addColumn('timeout_ms', type.integer, (column) => column.notNull())
        .addColumn('retries', type.integer, (column) => column.notNull())
        .addColumn('spec', type.text)
        .addColumn('error', type.text)
        .addPrimaryKeyConstraint('pipelines_steps_pk', ['run', 'position']),
      createTable(queries, dialect, 'pipelines_attempts')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('run', type.text, (column) => column.notNull().references('pipelines_runs.id'))
        .addColumn('position', type.integer, (column) => column.notNull())
        .addColumn('folder', type.text, (column) => column.notNull())
        .addColumn('stage', type.text, (column) => column.notNull())
        .addColumn('number', type.integer, (column) => column.notNull())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('pid', type.integer)
        .addColumn('start_time', type.text)
        .addColumn('boot_id', type.text)
        .addColumn('started_at', type.integer, (column) => column.notNull())
        .addColumn('ended_at', type.integer)
        .addColumn('exit_code', type.integer)
        .addColumn('reason', type.text)
        .addColumn('environment', type.text)
        .addColumn('lock_hash', type.text)
        .addColumn('outputs', type.text)
        .addUniqueConstraint('pipelines_attempts_number', ['run', 'position', 'number']),
      queries.schema
        .createIndex('pipelines_attempts_by_stage')
        .on('pipelines_attempts')
        .columns(['folder', 'stage', 'state', 'id']),
    ];
  },
};
