import { columnTypes } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Which revisions a drill published. */
export const servingDrills: Migration = {
  name: '0015-serving-drills',
  up: (queries, dialect) => [
    queries.schema.alterTable('serving_revisions').addColumn('drill', columnTypes(dialect).integer),
  ],
};
