import { columnTypes } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** What a pipeline run was started for, and the name by which it is not started twice. */
export const pipelineContext: Migration = {
  name: '0013-pipeline-context',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    const add = (column: string) =>
      queries.schema.alterTable('pipelines_runs').addColumn(column, type.text);
    return [
      add('context'),
      add('key'),
      queries.schema
        .createIndex('pipelines_runs_by_key')
        .unique()
        .on('pipelines_runs')
        .column('key'),
    ];
  },
};
