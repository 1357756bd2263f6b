import { setImmediate } from 'node:timers/promises';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { compileExpression, toDouble } from '../../formats/expression/evaluate.ts';
import { duckDbName, printDuckDb } from '../../formats/expression/print-duckdb.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { CompiledService, CompiledTrainingSet } from './compiled.ts';
import type { FeatureProfile, LeftOut } from './contract.ts';
import type { ExcludedSpan } from './exclusions.ts';
import { profileOf } from './profile.ts';
import {
  columnsIn,
  ID,
  loadEvents,
  NUMBER,
  TIME,
  type WantedColumns,
  type WithScratch,
} from './scratch-events.ts';
import { sweepViews, type SpineTable } from './sweep-views.ts';

/** Values held in memory at once: 2 GB of doubles. */
export const CELLS_MAX = 256 * 1024 * 1024;

export const TRAINING_SETS = 'training_sets';

export interface BuildRequest {
  readonly set: CompiledTrainingSet;
  readonly service: CompiledService;
  /** Version to read of each source's table, by source. */
  readonly versions: Readonly<Record<string, number>>;
  /** Microseconds: the rows' T, half-open. */
  readonly from: number;
  readonly until: number;
  /** Rows with T in one of them are left out. */
  readonly excluded: readonly ExcludedSpan[];
  /** Nothing later is seen. */
  readonly now: number;
  /** Repeating a build with the same number adds nothing. */
  readonly build: string;
}

export interface BuildOutcome {
  /** Version of the table that holds these rows and no others. */
  readonly tableVersion: number;
  readonly rows: number;
  readonly leftOut: LeftOut;
  readonly profile: readonly FeatureProfile[];
  readonly labelRate: number;
}

export interface BuildDeps {
  readonly tables: DeltaTables;
  readonly analytics: WithScratch;
  readonly faults: Faults;
  /** Events in memory at once, if not `EVENTS_AT_ONCE`. */
  readonly eventsAtOnce?: number;
}

/** Builds a training set and makes it the newest version of its table. */
export async function buildTrainingSet(
  deps: BuildDeps,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  return await deps.analytics.scratch(
    (scratch) => new TrainingSetBuild(deps, scratch, request).run(signal),
    signal,
  );
}

class TrainingSetBuild {
  readonly #deps: BuildDeps;
  readonly #scratch: Scratch;
  readonly #request: BuildRequest;

  constructor(deps: BuildDeps, scratch: Scratch, request: BuildRequest) {
    this.#deps = deps;
    this.#scratch = scratch;
    this.#request = request;
  }

  async run(signal: AbortSignal): Promise<BuildOutcome> {
    const { set, service, now, build } = this.#request;
    for (const wanted of this.#wantedColumns().values()) {
      const version = this.#request.versions[wanted.source.name]!;
      const from = { tables: this.#deps.tables, version, wanted };
      await loadEvents(this.#scratch, wanted.source.name, from);
    }
    const { spine, leftOut } = await this.#makeSpine();
    const results = service.features.map(() => new Float64Array(spine.rowCount));
    const { tables, faults, eventsAtOnce } = this.#deps;
    await sweepViews(this.#scratch, { service, spine, now, results }, eventsAtOnce);
    await this.#requestFeatures(spine, results);
    const label = await this.#labels(spine);
    const profile: FeatureProfile[] = [];
    for (const [at, { name }] of service.features.entries()) {
      profile.push(profileOf(name, results[at]!));
      // Each sorts a column; the engine has other work between them.
      await setImmediate();
    }
    faults.hit('training.after-sweep');
    const numbers = Float64Array.from({ length: spine.rowCount }, (_, row) => row);
    await this.#scratch.fill('=vectors', [numbers, ...results]);
    await this.#assertAligned(spine);
    const ref = { namespace: TRAINING_SETS, name: set.name };
    const done = await tables.replace(ref, {
      columns: this.#columns(),
      select: this.#select(spine),
      txn: { appId: `build:${build}`, version: 1 },
      signal,
      beforeCommit: () => {
        faults.hit('training.before-commit');
      },
    });
    faults.hit('training.after-commit');
    const labelRate = profileOf('label', label).mean ?? 0;
    return { tableVersion: done.version, rows: spine.rowCount, leftOut, profile, labelRate };
  }

  /** What is needed of each source, by its name: one may serve as spine, events and label. */
  #wantedColumns(): Map<string, WantedColumns> {
    const { set, service } = this.#request;
    const inputs = service.inputs.map(
      ({ name, type }) => ({ kind: 'column', type, name }) as const,
    );
    const match = { kind: 'column', type: set.idType, name: set.label.match } as const;
    const all: WantedColumns[] = [
      { source: set.spine, keys: [], expressions: [...inputs, match] },
      { source: set.label.source, keys: [], expressions: [set.label.of] },
      ...service.views.map(({ source, keys, aggregates }) => ({
        source,
        keys,
        expressions: aggregates.flatMap(({ of }) => of ?? []),
      })),
    ];
    const wanted = new Map<string, WantedColumns>();
    for (const one of all) {
      const known = wanted.get(one.source.name);
      wanted.set(one.source.name, {
        source: one.source,
        keys: [...(known?.keys ?? []), ...one.keys],
        expressions: [...(known?.expressions ?? []), ...one.expressions],
      });
    }
    return wanted;
  }

  /** The rows that stay, in the order of T and id, and how many do not, by reason. */
  async #makeSpine(): Promise<{ readonly spine: SpineTable; readonly leftOut: LeftOut }> {
    const { set, from, until, now } = this.#request;
    const scratch = this.#scratch;
    const all = scratch.table('=all');
    const { label } = set;
    const value = `CAST(${printDuckDb(label.of)} AS DOUBLE)`;
    await scratch.run(
      `CREATE TABLE ${all} AS SELECT s.*, l.value AS "=label", CASE ` +
        `WHEN ${this.#excludedSql()} THEN 'excluded' ` +
        `WHEN ${await this.#unfinishedSql()} THEN 'unfinishedWindow' ` +
        `WHEN s.${TIME} + ${label.mature} > ${now} THEN 'immatureLabel' ` +
        `WHEN l.value IS NULL THEN 'missingLabel' ELSE 'kept' END AS "=reason" ` +
        `FROM ${scratch.table(set.spine.name)} AS s LEFT JOIN (` +
        `SELECT ${ID} AS matched, ${value} AS value FROM ${scratch.table(label.source.name)} ` +
        `WHERE ${TIME} <= ${now}) AS l ON l.matched = s.${duckDbName(label.match)} ` +
        `WHERE s.${TIME} >= ${from} AND s.${TIME} < ${until} AND s.${TIME} <= ${now}`,
    );
    const counted = await scratch.rows(`SELECT "=reason", count(*) FROM ${all} GROUP BY 1`);
    const counts = new Map(counted.map(([reason, count]) => [reason, Number(count)]));
    const leftOut = {
      unfinishedWindow: counts.get('unfinishedWindow') ?? 0,
      immatureLabel: counts.get('immatureLabel') ?? 0,
      missingLabel: counts.get('missingLabel') ?? 0,
      excluded: counts.get('excluded') ?? 0,
    };
    const rowCount = counts.get('kept') ?? 0;
    this.#assertSize(rowCount, leftOut);
    const table = scratch.table('=spine');
    await scratch.run(
      `CREATE TABLE ${table} AS SELECT row_number() OVER (ORDER BY ${TIME}, ${ID}) - 1 ` +
        `AS ${NUMBER}, * FROM ${all} WHERE "=reason" = 'kept' ORDER BY ${TIME}, ${ID}`,
    );
    const [[first, last]] = (await scratch.rows(
      `SELECT min(${TIME})::DOUBLE, max(${TIME})::DOUBLE FROM ${table}`,
    )) as [[number, number]];
    return { spine: { table, rowCount, first, last }, leftOut };
  }

  #excludedSql(): string {
    const spans = this.#request.excluded.map(({ from, until }) => {
      const end = until === null ? '' : ` AND s.${TIME} < ${until}`;
      return `(s.${TIME} >= ${from}${end})`;
    });
    return spans.length === 0 ? 'false' : spans.join(' OR ');
  }

  /** A window is full when it begins at or after the first event of its source. */
  async #unfinishedSql(): Promise<string> {
    const { set, service, now } = this.#request;
    if (!set.requiresFullWindows) return 'false';
    const conditions: string[] = [];
    for (const { source, windows } of service.views) {
      const events = this.#scratch.table(source.name);
      const sql = `SELECT min(${TIME}) FROM ${events} WHERE ${TIME} <= ${now}`;
      const [[first]] = (await this.#scratch.rows(sql)) as [[bigint | null]];
      const longest = Math.max(...windows.map(({ micros }) => micros));
      // A source without an event has no full window.
      conditions.push(first === null ? 'true' : `s.${TIME} - ${longest} < ${first}`);
    }
    return conditions.length === 0 ? 'false' : `(${[...new Set(conditions)].join(' OR ')})`;
  }

  #assertSize(rowCount: number, leftOut: LeftOut): void {
    const { set, service } = this.#request;
    if (rowCount === 0) {
      throw new AppError('TRAINING_SET_EMPTY', `Training set ${set.name} would have no rows.`, {
        hint:
          `Left out: ${leftOut.unfinishedWindow} before the longest window is full, ` +
          `${leftOut.immatureLabel} with an immature label, ${leftOut.missingLabel} without one, ` +
          `${leftOut.excluded} in an exclusion. ` +
          'Choose another range, or load more data.',
        details: { leftOut },
      });
    }
    if (rowCount * service.features.length <= CELLS_MAX) return;
    const size = `${rowCount} rows of ${service.features.length} features`;
    throw new AppError('INVALID_INPUT', `Training set ${set.name} would have ${size}.`, {
      hint: 'Choose a shorter range: a build holds its vectors in memory.',
    });
  }

  async #requestFeatures(spine: SpineTable, results: readonly Float64Array[]): Promise<void> {
    const { service } = this.#request;
    const computed = service.features.flatMap((feature, at) => {
      if (feature.kind === 'window') return [];
      const expression = service.requestExpressions[feature.expression]!;
      const evaluate = compileExpression(expression, { zones: service.zones });
      return [{ evaluate, target: results[at]! }];
    });
    if (computed.length === 0) return;
    const named = new Set(service.requestExpressions.flatMap(columnsIn));
    const names = service.inputs.map(({ name }) => name).filter((name) => named.has(name));
    const selected = [`${NUMBER}::DOUBLE`, `${TIME}::DOUBLE`, ...names.map(duckDbName)].join(', ');
    const sql = `SELECT ${selected} FROM ${spine.table}`;
    const row: Record<string, unknown> = {};
    for await (const [numbers, times, ...inputs] of this.#scratch.columns(sql)) {
      for (const [index, number] of (numbers as readonly number[]).entries()) {
        row['T'] = times![index];
        for (const [at, name] of names.entries()) row[name] = inputs[at]![index];
        for (const { evaluate, target } of computed) {
          target[number] = toDouble(evaluate(row)) ?? Number.NaN;
        }
      }
    }
  }

  async #labels({ table, rowCount }: SpineTable): Promise<Float64Array> {
    const labels = new Float64Array(rowCount);
    const sql = `SELECT ${NUMBER}::DOUBLE, "=label" FROM ${table}`;
    for await (const { rowCount, columns } of this.#scratch.doubles(sql)) {
      const [numbers, values] = columns as [Float64Array, Float64Array];
      for (let index = 0; index < rowCount; index += 1) labels[numbers[index]!] = values[index]!;
    }
    return labels;
  }

  #columns(): Column[] {
    const { set, service } = this.#request;
    return [
      { name: 'row_id', type: set.idType, nullable: false },
      { name: 'T', type: 'timestamp', nullable: false },
      ...service.features.map(({ name }) => ({ name, type: 'double', nullable: true }) as const),
      { name: 'label', type: 'double', nullable: false },
    ];
  }

  /** Rows of the spine and their vectors are joined by place, which sorts and hashes nothing. */
  async #assertAligned({ table }: SpineTable): Promise<void> {
    const vectors = this.#scratch.table('=vectors');
    const [[count]] = (await this.#scratch.rows(
      `SELECT count(*) FROM ${table} AS s POSITIONAL JOIN ${vectors} AS v ` +
        `WHERE v.c0 IS DISTINCT FROM s.${NUMBER}`,
    )) as [[bigint]];
    assert(count === 0n, 'vectors lost their rows');
  }

  #select({ table }: SpineTable): string {
    const { service } = this.#request;
    const vectors = this.#scratch.table('=vectors');
    const features = service.features.map(
      ({ name }, at) => `nullif(v.c${at + 1}, 'nan'::DOUBLE) AS ${duckDbName(name)}`,
    );
    return (
      `SELECT s.${ID} AS row_id, make_timestamptz(s.${TIME}) AS "T", ${features.join(', ')}, ` +
      `s."=label" AS label FROM ${table} AS s POSITIONAL JOIN ${vectors} AS v`
    );
  }
}
