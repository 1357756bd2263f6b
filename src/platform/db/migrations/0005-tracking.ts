import { sql, type Compilable, type CreateTableBuilder, type Kysely } from 'kysely';
import { columnTypes, createTable, numberedKey } from '../dialect.ts';
import { rawQuery } from '../kysely-builder.ts';
import type { Migration } from '../migrator.ts';
import type { Dialect } from '../port.ts';

/**
 * Values are found by their first characters: PostgreSQL refuses longer index entries, and filters
 * compare the whole value after that.
 */
const HEAD = 200;

/** Experiments, runs, what they logged, artifacts, logged models; registry of MLflow clients. */
export const tracking: Migration = {
  name: '0005-tracking',
  up: (queries, dialect) => [
    ...experiments(queries, dialect),
    ...runs(queries, dialect),
    ...metrics(queries, dialect),
    ...keyValues(queries, dialect, 'params'),
    ...keyValues(queries, dialect, 'tags'),
    ...inputs(queries, dialect),
    ...artifacts(queries, dialect),
    ...loggedModels(queries, dialect),
    ...registryOfClients(queries, dialect),
  ],
};

/** Numbered, because MLflow's are; 0 exists from the start, its clients rely on it. */
function experiments(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  return [
    createTable(queries, dialect, 'tracking_experiments')
      .addColumn('id', type.integer, numberedKey(dialect))
      .addColumn('name', type.text, (column) => column.notNull().unique())
      .addColumn('artifact_location', type.text)
      .addColumn('lifecycle', type.text, (column) => column.notNull())
      .addColumn('created_ms', type.integer, (column) => column.notNull())
      .addColumn('updated_ms', type.integer, (column) => column.notNull())
      .addCheckConstraint('tracking_experiments_lifecycle', lifecycle()),
    createTable(queries, dialect, 'tracking_experiment_tags')
      .addColumn('experiment', type.integer, (column) =>
        column.notNull().references('tracking_experiments.id'),
      )
      .addColumn('key', type.text, (column) => column.notNull())
      .addColumn('value', type.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('tracking_experiment_tags_pk', ['experiment', 'key']),
    rawQuery(
      queries,
      sql`insert into tracking_experiments
        (id, name, artifact_location, lifecycle, created_ms, updated_ms)
        values (0, 'Default', null, 'active', 0, 0)`,
    ),
  ];
}

function runs(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  return [
    createTable(queries, dialect, 'tracking_runs')
      .addColumn('seq', type.integer, numberedKey(dialect))
      .addColumn('id', type.text, (column) => column.notNull().unique())
      .addColumn('experiment', type.integer, (column) =>
        column.notNull().references('tracking_experiments.id'),
      )
      .addColumn('name', type.text, (column) => column.notNull())
      .addColumn('user_id', type.text, (column) => column.notNull())
      .addColumn('status', type.text, (column) => column.notNull())
      .addColumn('start_ms', type.integer, (column) => column.notNull())
      .addColumn('end_ms', type.integer)
      .addColumn('lifecycle', type.text, (column) => column.notNull())
      .addColumn('deleted_with_experiment', type.integer, (column) => column.notNull().defaultTo(0))
      .addColumn('artifact_uri', type.text, (column) => column.notNull())
      .addColumn('created_at', type.integer, (column) => column.notNull())
      .addCheckConstraint('tracking_runs_lifecycle', lifecycle())
      .addCheckConstraint(
        'tracking_runs_status',
        sql`status in ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')`,
      ),
    queries.schema
      .createIndex('tracking_runs_by_start')
      .on('tracking_runs')
      .columns(['experiment', 'lifecycle', 'start_ms desc', 'id']),
    queries.schema
      .createIndex('tracking_runs_newest')
      .on('tracking_runs')
      .columns(['start_ms desc', 'id']),
  ];
}

/**
 * A series is one metric of one run with its latest point, found by value within its experiment;
 * the points hold its number instead of the two names.
 */
function metrics(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const series = createTable(queries, dialect, 'tracking_series')
    .addColumn('id', type.integer, numberedKey(dialect))
    .addColumn('run', type.integer, (column) => column.notNull().references('tracking_runs.seq'))
    .addColumn('experiment', type.integer, (column) => column.notNull())
    .addColumn('key', type.text, (column) => column.notNull())
    .addColumn('value', type.real, (column) => column.notNull())
    .addColumn('is_nan', type.integer, (column) => column.notNull())
    .addColumn('timestamp_ms', type.integer, (column) => column.notNull())
    .addColumn('step', type.integer, (column) => column.notNull())
    .addUniqueConstraint('tracking_series_key', ['run', 'key']);
  const points = createTable(queries, dialect, 'tracking_points')
    .addColumn('series', type.integer, (column) => column.notNull())
    .addColumn('step', type.integer, (column) => column.notNull())
    .addColumn('timestamp_ms', type.integer, (column) => column.notNull())
    .addColumn('value', type.real, (column) => column.notNull())
    .addColumn('is_nan', type.integer, (column) => column.notNull())
    .addColumn('dataset_name', type.text)
    .addColumn('dataset_digest', type.text)
    .addColumn('model', type.text)
    .addPrimaryKeyConstraint('tracking_points_pk', [
      'series',
      'step',
      'timestamp_ms',
      'value',
      'is_nan',
    ]);
  return [
    series,
    queries.schema
      .createIndex('tracking_series_by_value')
      .on('tracking_series')
      .columns(['experiment', 'key', 'is_nan', 'value', 'run']),
    clustered(points, dialect),
  ];
}

function keyValues(
  queries: Kysely<unknown>,
  dialect: Dialect,
  what: 'params' | 'tags',
): readonly Compilable[] {
  const type = columnTypes(dialect);
  const name = `tracking_${what}`;
  const table = createTable(queries, dialect, name)
    .addColumn('run', type.integer, (column) => column.notNull().references('tracking_runs.seq'))
    .addColumn('key', type.text, (column) => column.notNull())
    .addColumn('value', type.text, (column) => column.notNull())
    .addPrimaryKeyConstraint(`${name}_pk`, ['run', 'key']);
  return [
    clustered(table, dialect),
    rawQuery(
      queries,
      sql`create index ${sql.raw(`${name}_by_value`)} on ${sql.raw(name)}
        (key, substr(value, 1, ${sql.lit(HEAD)}), run)`,
    ),
  ];
}

/** Data a run read, as its client describes it, and models it read or made. */
function inputs(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  return [
    createTable(queries, dialect, 'tracking_datasets')
      .addColumn('run', type.integer, (column) => column.notNull().references('tracking_runs.seq'))
      .addColumn('name', type.text, (column) => column.notNull())
      .addColumn('digest', type.text, (column) => column.notNull())
      .addColumn('source_type', type.text, (column) => column.notNull())
      .addColumn('source', type.text, (column) => column.notNull())
      .addColumn('schema', type.text)
      .addColumn('profile', type.text)
      .addColumn('context', type.text)
      .addColumn('tags', type.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('tracking_datasets_pk', ['run', 'name', 'digest']),
    createTable(queries, dialect, 'tracking_run_models')
      .addColumn('run', type.integer, (column) => column.notNull().references('tracking_runs.seq'))
      .addColumn('direction', type.text, (column) => column.notNull())
      .addColumn('model', type.text, (column) => column.notNull())
      .addColumn('step', type.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('tracking_run_models_pk', ['run', 'direction', 'model'])
      .addCheckConstraint('tracking_run_models_direction', sql`direction in ('input', 'output')`),
  ];
}

/** The artifact tree: files name their content, folders have none. */
function artifacts(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  return [
    createTable(queries, dialect, 'tracking_artifacts')
      .addColumn('parent', type.text, (column) => column.notNull())
      .addColumn('name', type.text, (column) => column.notNull())
      .addColumn('digest', type.text)
      .addColumn('size_bytes', type.integer, (column) => column.notNull())
      .addColumn('written_at', type.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('tracking_artifacts_pk', ['parent', 'name']),
  ];
}

function loggedModels(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const values = (table: string): Compilable =>
    createTable(queries, dialect, table)
      .addColumn('model', type.text, (column) =>
        column.notNull().references('tracking_logged_models.id'),
      )
      .addColumn('key', type.text, (column) => column.notNull())
      .addColumn('value', type.text, (column) => column.notNull())
      .addPrimaryKeyConstraint(`${table}_pk`, ['model', 'key']);
  return [
    createTable(queries, dialect, 'tracking_logged_models')
      .addColumn('id', type.text, (column) => column.primaryKey())
      .addColumn('experiment', type.integer, (column) =>
        column.notNull().references('tracking_experiments.id'),
      )
      .addColumn('name', type.text, (column) => column.notNull())
      .addColumn('model_type', type.text)
      .addColumn('source_run_id', type.text)
      .addColumn('status', type.text, (column) => column.notNull())
      .addColumn('lifecycle', type.text, (column) => column.notNull())
      .addColumn('artifact_uri', type.text, (column) => column.notNull())
      .addColumn('created_ms', type.integer, (column) => column.notNull())
      .addColumn('updated_ms', type.integer, (column) => column.notNull())
      .addCheckConstraint('tracking_logged_models_lifecycle', lifecycle()),
    queries.schema
      .createIndex('tracking_logged_models_newest')
      .on('tracking_logged_models')
      .columns(['experiment', 'lifecycle', 'created_ms desc', 'id']),
    values('tracking_logged_model_params'),
    values('tracking_logged_model_tags'),
    createTable(queries, dialect, 'tracking_logged_model_metrics')
      .addColumn('model', type.text, (column) => column.notNull())
      .addColumn('run', type.text, (column) => column.notNull())
      .addColumn('key', type.text, (column) => column.notNull())
      .addColumn('dataset_name', type.text, (column) => column.notNull())
      .addColumn('dataset_digest', type.text, (column) => column.notNull())
      .addColumn('value', type.real, (column) => column.notNull())
      .addColumn('is_nan', type.integer, (column) => column.notNull())
      .addColumn('timestamp_ms', type.integer, (column) => column.notNull())
      .addColumn('step', type.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('tracking_logged_model_metrics_pk', [
        'model',
        'run',
        'key',
        'dataset_name',
        'dataset_digest',
      ]),
  ];
}

/** What MLflow clients tell of models and versions beyond the ONNX file. */
function registryOfClients(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[] {
  const type = columnTypes(dialect);
  const added = (table: string, columns: readonly string[]): readonly Compilable[] =>
    columns.map((column) => rawQuery(queries, sql.raw(`alter table ${table} add ${column}`)));
  const text = dialect === 'sqlite' ? 'text' : 'text collate "C"';
  const integer = dialect === 'sqlite' ? 'integer' : 'bigint';
  return [
    ...added('registry_models', [
      `description ${text} not null default ''`,
      `updated_at ${integer} not null default 0`,
      `deleted_at ${integer}`,
    ]),
    ...added('registry_versions', [
      `format ${text} not null default 'onnx'`,
      `run_id ${text}`,
      `source ${text} not null default ''`,
      `artifacts ${text}`,
      `logged_model ${text}`,
      `run_link ${text}`,
      `stage ${text} not null default 'None'`,
      `updated_at ${integer} not null default 0`,
      `deleted_at ${integer}`,
    ]),
    queries.schema
      .createIndex('registry_versions_by_run')
      .on('registry_versions')
      .columns(['run_id', 'model', 'version']),
    createTable(queries, dialect, 'registry_aliases')
      .addColumn('model', type.text, (column) =>
        column.notNull().references('registry_models.name'),
      )
      .addColumn('alias', type.text, (column) => column.notNull())
      .addColumn('version', type.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_aliases_pk', ['model', 'alias']),
    createTable(queries, dialect, 'registry_model_tags')
      .addColumn('model', type.text, (column) =>
        column.notNull().references('registry_models.name'),
      )
      .addColumn('key', type.text, (column) => column.notNull())
      .addColumn('value', type.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_model_tags_pk', ['model', 'key']),
    createTable(queries, dialect, 'registry_version_tags')
      .addColumn('model', type.text, (column) => column.notNull())
      .addColumn('version', type.integer, (column) => column.notNull())
      .addColumn('key', type.text, (column) => column.notNull())
      .addColumn('value', type.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_version_tags_pk', ['model', 'version', 'key']),
  ];
}

/** Stored in the order of its key, where the database can: no second copy of it in an index. */
function clustered(table: CreateTableBuilder<string, string>, dialect: Dialect): Compilable {
  return dialect === 'sqlite' ? table.modifyEnd(sql`, without rowid`) : table;
}

function lifecycle() {
  return sql<boolean>`lifecycle in ('active', 'deleted')`;
}
