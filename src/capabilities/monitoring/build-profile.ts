import { setImmediate } from 'node:timers/promises';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, Scratch } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { profileSteps, type Profile, type ProfiledInputs } from './profile.ts';
import { scoreVectors, type OpenModel, type ScoreOf } from './score-vectors.ts';

/** A version, and the rows that it was trained on. */
export interface VersionFacts {
  readonly version: number;
  readonly digest: string;
  /** Absolute; null for one that cannot be scored here. */
  readonly modelFile: string | null;
  /** Null for a version whose origin is not known: it has no profile. */
  readonly training: TrainingRows | null;
}

export interface TrainingRows {
  readonly table: { readonly namespace: string; readonly name: string };
  readonly tableVersion: number;
  /** Names of the model's columns in its order, which the table has. */
  readonly features: readonly string[];
  /** Of the definition that they follow. */
  readonly definition: string;
  /** Where what requests bring is found for these rows, by their ids; null when it is gone. */
  readonly spine: SpineRows | null;
}

export interface SpineRows {
  readonly table: { readonly namespace: string; readonly name: string };
  readonly tableVersion: number;
  readonly idColumn: string;
  readonly inputs: readonly { readonly name: string; readonly isText: boolean }[];
}

export interface ProfileDeps {
  readonly tables: Pick<DeltaTables, 'files'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
  readonly openModel: OpenModel;
  readonly scoreOf: ScoreOf;
}

/** Rows of a training set that a profile is made of; of more, evenly spread ones. */
const PROFILE_ROWS_MAX = 150_000;
/** Of them with a score. */
const SCORED_ROWS_MAX = 50_000;

/** Reads the rows a version was trained on, and scores some of them with it. */
export async function buildProfile(
  deps: ProfileDeps,
  of: VersionFacts & { readonly training: TrainingRows },
  signal: AbortSignal,
): Promise<Profile> {
  const { version, modelFile, training } = of;
  const { times, columns, inputs } = await readRows(deps, training, signal);
  const byName = new Map(training.features.map((name, index) => [name, columns[index]!]));
  const scores =
    modelFile === null ? null : await scoresOf(deps, { modelFile, times, columns }, signal);
  const steps = profileSteps(version, { times, columns: byName, scores, inputs });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
    signal.throwIfAborted();
  }
}

async function readRows(
  { tables, analytics }: ProfileDeps,
  { table, tableVersion, features, spine }: TrainingRows,
  signal: AbortSignal,
): Promise<{
  readonly times: Float64Array;
  readonly columns: readonly Float64Array[];
  readonly inputs: ProfiledInputs | null;
}> {
  const found = await tables.files(table, tableVersion);
  return await analytics.scratch(async (scratch) => {
    const rows = scratch.rowsOf(found.files, found.columns);
    const [[count]] = (await scratch.rows(`SELECT count(*) FROM (${rows})`)) as [[bigint]];
    const step = Math.ceil(Number(count) / PROFILE_ROWS_MAX);
    const total = Math.ceil(Number(count) / Math.max(1, step));
    const times = new Float64Array(total);
    const columns = features.map(() => new Float64Array(total));
    const cells = features.map((name) => `coalesce(CAST(${duckDbName(name)} AS DOUBLE), 'nan')`);
    let at = 0;
    // By hash, so that the same rows are taken whatever order the files are read in.
    const where = step > 1 ? `WHERE hash(row_id) % ${step} = 0 LIMIT ${total}` : '';
    const sql = `SELECT CAST(epoch_us("T") AS DOUBLE), ${cells.join(', ')} FROM (${rows}) ${where}`;
    for await (const batch of scratch.doubles(sql)) {
      times.set(batch.columns[0]!.subarray(0, batch.rowCount), at);
      for (const [index, column] of columns.entries()) {
        column.set(batch.columns[index + 1]!.subarray(0, batch.rowCount), at);
      }
      at += batch.rowCount;
    }
    const picked = `SELECT row_id, "T" FROM (${rows}) ${where}`;
    return {
      times: times.subarray(0, at),
      columns: columns.map((all) => all.subarray(0, at)),
      inputs: spine === null ? null : await readInputs({ tables, scratch }, spine, picked),
    };
  }, signal);
}

/** What requests would have brought for the picked rows; of an id told twice, one of its rows. */
async function readInputs(
  on: { readonly tables: ProfileDeps['tables']; readonly scratch: Scratch },
  { table, tableVersion, idColumn, inputs }: SpineRows,
  picked: string,
): Promise<ProfiledInputs> {
  const found = await on.tables.files(table, tableVersion);
  const cells = inputs.map(({ name, isText }) => {
    const column = `max(s.${duckDbName(name)})`;
    return isText ? `CAST(${column} AS VARCHAR)` : `CAST(${column} AS DOUBLE)`;
  });
  const id = duckDbName(idColumn);
  const spine = on.scratch.rowsOf(found.files, found.columns);
  const sql =
    `SELECT CAST(epoch_us(any_value(p."T")) AS DOUBLE), ${cells.join(', ')} ` +
    `FROM (${picked}) AS p JOIN (${spine}) AS s ON s.${id} = p.row_id GROUP BY p.row_id`;
  const times: number[] = [];
  const values = inputs.map((): unknown[] => []);
  for await (const columns of on.scratch.columns(sql)) {
    times.push(...(columns[0] as number[]));
    for (const [index, of] of values.entries()) of.push(...columns[index + 1]!);
  }
  const texts = new Map<string, readonly (string | null)[]>();
  const numbers = new Map<string, Float64Array>();
  for (const [index, { name, isText }] of inputs.entries()) {
    const of = values[index]!;
    if (isText) texts.set(name, of as (string | null)[]);
    else
      numbers.set(
        name,
        Float64Array.from(of, (value) => (value === null ? NaN : Number(value))),
      );
  }
  return { times: Float64Array.from(times), texts, numbers };
}

async function scoresOf(
  { openModel, scoreOf }: ProfileDeps,
  of: {
    readonly modelFile: string;
    readonly times: Float64Array;
    readonly columns: readonly Float64Array[];
  },
  signal: AbortSignal,
): Promise<{ readonly times: Float64Array; readonly values: Float64Array } | null> {
  const step = Math.max(1, Math.ceil(of.times.length / SCORED_ROWS_MAX));
  const every = (values: Float64Array) => values.filter((_, row) => row % step === 0);
  const model = await openModel(of.modelFile);
  try {
    const columns = of.columns.map((values) => every(values));
    const values = await scoreVectors(model, columns, scoreOf, signal);
    return values === null ? null : { times: every(of.times), values };
  } finally {
    await model.release();
  }
}
