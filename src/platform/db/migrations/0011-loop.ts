import { columnTypes, createTable, numberedKey } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Loops, their ways from a trigger to an end, and every decision on them. */
export const loop: Migration = {
  name: '0011-loop',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'loop_loops')
        .addColumn('name', type.text, (column) => column.primaryKey())
        .addColumn('spec', type.text, (column) => column.notNull())
        .addColumn('stopped', type.text)
        .addColumn('resumed_at', type.integer)
        .addColumn('memory', type.text, (column) => column.notNull())
        .addColumn('revision', type.integer, (column) => column.notNull()),
      createTable(queries, dialect, 'loop_instances')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('loop', type.text, (column) => column.notNull())
        // The loop's name while it is under way: unique, so that a loop has one at a time.
        .addColumn('open_loop', type.text, (column) => column.unique())
        .addColumn('state', type.text, (column) => column.notNull())
        .addColumn('is_manual', type.integer, (column) => column.notNull())
        .addColumn('is_training', type.integer, (column) => column.notNull())
        .addColumn('causes', type.text, (column) => column.notNull())
        .addColumn('actor', type.text, (column) => column.notNull())
        .addColumn('started_at', type.integer, (column) => column.notNull())
        .addColumn('ended_at', type.integer)
        .addColumn('model', type.text, (column) => column.notNull())
        .addColumn('champion', type.integer, (column) => column.notNull())
        .addColumn('challenger', type.integer)
        .addColumn('course', type.text, (column) => column.notNull())
        .addColumn('revision', type.integer, (column) => column.notNull()),
      queries.schema
        .createIndex('loop_instances_by_loop')
        .on('loop_instances')
        .columns(['loop', 'id']),
      createTable(queries, dialect, 'loop_decisions')
        .addColumn('id', type.integer, numberedKey(dialect))
        .addColumn('loop', type.text, (column) => column.notNull())
        .addColumn('instance', type.text)
        .addColumn('at', type.integer, (column) => column.notNull())
        .addColumn('wall', type.integer, (column) => column.notNull())
        .addColumn('kind', type.text, (column) => column.notNull())
        .addColumn('actor', type.text, (column) => column.notNull())
        .addColumn('reason', type.text, (column) => column.notNull())
        .addColumn('inputs', type.text, (column) => column.notNull())
        .addColumn('policy', type.text, (column) => column.notNull()),
      queries.schema
        .createIndex('loop_decisions_by_loop')
        .on('loop_decisions')
        .columns(['loop', 'id']),
    ];
  },
};
