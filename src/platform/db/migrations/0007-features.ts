import { columnTypes, createTable } from '../dialect.ts';
import type { Migration } from '../migrator.ts';

/**
 * Definitions by hash, which one each name means now, and the training sets that were built. Their
 * rows are tables of the lake.
 */
export const features: Migration = {
  name: '0007-features',
  up: (queries, dialect) => {
    const type = columnTypes(dialect);
    return [
      createTable(queries, dialect, 'features_definitions')
        .addColumn('kind', type.text, (column) => column.notNull())
        .addColumn('name', type.text, (column) => column.notNull())
        .addColumn('hash', type.text, (column) => column.notNull())
        .addColumn('body', type.text, (column) => column.notNull())
        .addColumn('created_at', type.integer, (column) => column.notNull())
        .addColumn('created_by', type.text, (column) => column.notNull())
        .addPrimaryKeyConstraint('features_definitions_pk', ['kind', 'name', 'hash']),
      createTable(queries, dialect, 'features_current')
        .addColumn('kind', type.text, (column) => column.notNull())
        .addColumn('name', type.text, (column) => column.notNull())
        .addColumn('hash', type.text, (column) => column.notNull())
        .addColumn('applied_at', type.integer, (column) => column.notNull())
        .addColumn('applied_by', type.text, (column) => column.notNull())
        .addPrimaryKeyConstraint('features_current_pk', ['kind', 'name'])
        .addForeignKeyConstraint(
          'features_current_definition',
          ['kind', 'name', 'hash'],
          'features_definitions',
          ['kind', 'name', 'hash'],
        ),
      createTable(queries, dialect, 'features_training_versions')
        .addColumn('name', type.text, (column) => column.notNull())
        .addColumn('version', type.integer, (column) => column.notNull())
        // Same definition, source versions and range.
        .addColumn('build', type.text, (column) => column.notNull())
        .addColumn('is_settled', type.integer, (column) => column.notNull())
        .addColumn('body', type.text, (column) => column.notNull())
        .addColumn('created_now', type.integer, (column) => column.notNull())
        .addColumn('created_wall', type.integer, (column) => column.notNull())
        .addColumn('created_by', type.text, (column) => column.notNull())
        .addPrimaryKeyConstraint('features_training_versions_pk', ['name', 'version']),
      queries.schema
        .createIndex('features_training_versions_by_build')
        .on('features_training_versions')
        .columns(['name', 'build']),
    ];
  },
};
