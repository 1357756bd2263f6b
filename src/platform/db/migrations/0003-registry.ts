import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/** Registered models and their versions. */
export const registry: Migration = {
  name: '0003-registry',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'registry_models')
        .addColumn('name', type.text, (column) => column.primaryKey())
        .addColumn('created_at', type.integer, (column) => column.notNull()),
      createTable(queries, dialect, 'registry_versions')
        .addColumn('id', type.text, (column) => column.primaryKey())
        .addColumn('model', type.text, (column) =>
          column.notNull().references('registry_models.name'),
        )
        .addColumn('version', type.integer, (column) => column.notNull())
        .addColumn('digest', type.text, (column) => column.notNull())
        .addColumn('size_bytes', type.integer, (column) => column.notNull())
        .addColumn('signature', type.text, (column) => column.notNull())
        .addColumn('description', type.text, (column) => column.notNull())
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('created_by', type.text, (column) => column.notNull())
        .addUniqueConstraint('registry_versions_number', ['model', 'version']),
    ];
  },
};
