import { micros, type Micros } from '../../base/time.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { TRAINING_SETS } from './build-training-set.ts';
import type { CompiledService, CompiledTrainingSet } from './compiled.ts';
import type { FeatureInputs } from './online-key.ts';

/** A row of a training set: what the service would have been asked, when, and the vector. */
export interface TrainingRow {
  readonly inputs: FeatureInputs;
  readonly at: Micros;
  /** In the order of the service. */
  readonly values: readonly (number | null)[];
}

/** One version of a training set, with what it was made from. */
export interface TrainingSource {
  readonly set: CompiledTrainingSet;
  readonly service: CompiledService;
  readonly tableVersion: number;
  /** The version of the spine's table that was read. */
  readonly spineVersion: number;
}

/** The newest rows by T. Inputs are columns of the spine, found again by the row's id. */
export async function trainingRows(
  deps: {
    readonly tables: Pick<DeltaTables, 'files'>;
    readonly analytics: Pick<Analytics, 'scratch'>;
  },
  { set, service, tableVersion, spineVersion }: TrainingSource,
  limit: number,
  signal: AbortSignal,
): Promise<readonly TrainingRow[]> {
  const { tables, analytics } = deps;
  const made = await tables.files({ namespace: TRAINING_SETS, name: set.name }, tableVersion);
  const spine = await tables.files(set.spine.table, spineVersion);
  return await analytics.scratch(async (scratch) => {
    const newest = scratch.table('newest');
    await scratch.run(
      `CREATE TABLE ${newest} AS SELECT * FROM (${scratch.rowsOf(made.files, made.columns)}) ` +
        `ORDER BY "T" DESC, row_id DESC LIMIT ${limit}`,
    );
    const id = duckDbName(set.spine.idColumn);
    const found = scratch.table('found');
    await scratch.run(
      `CREATE TABLE ${found} AS SELECT * FROM (${scratch.rowsOf(spine.files, spine.columns)}) ` +
        `WHERE ${id} IN (SELECT row_id FROM ${newest})`,
    );
    const inputs = service.inputs.map(({ name, type }) => {
      const column = `f.${duckDbName(name)}`;
      return type === 'long' ? `CAST(${column} AS DOUBLE)` : column;
    });
    const features = service.features.map(({ name }) => `CAST(n.${duckDbName(name)} AS DOUBLE)`);
    const rows = await scratch.rows(
      `SELECT CAST(epoch_us(n."T") AS DOUBLE), ${[...inputs, ...features].join(', ')} ` +
        `FROM ${newest} AS n JOIN ${found} AS f ON f.${id} = n.row_id ` +
        `WHERE f.rowid IN (SELECT max(rowid) FROM ${found} GROUP BY ${id}) ` +
        'ORDER BY n."T" DESC, n.row_id DESC',
    );
    return rows.map(([time, ...cells]) => ({
      at: micros(time as number),
      inputs: Object.fromEntries(
        service.inputs.map(({ name }, index) => [name, cells[index] as FeatureInputs[string]]),
      ),
      values: cells.slice(service.inputs.length) as (number | null)[],
    }));
  }, signal);
}
