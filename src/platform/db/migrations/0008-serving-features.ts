import { columnTypes } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** What an endpoint joins to its requests, how it is rolled out, and what a route rests on. */
export const servingFeatures: Migration = {
  name: '0008-serving-features',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    const add = (table: string, column: string) =>
      queries.schema.alterTable(table).addColumn(column, type.text);
    return [
      add('serving_endpoints', 'service'),
      add('serving_endpoints', 'rollout'),
      add('serving_revisions', 'features'),
      add('serving_revisions', 'evidence'),
    ];
  },
};
