import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import type { CompiledView } from './compiled.ts';
import { gather, groupByKey, type KeyedRows } from './keyed-rows.ts';
import { risingOrder } from './radix-sort.ts';
import { keySql } from './scratch-events.ts';
import { keyPart, keyText } from './tiles-keys.ts';
import { BlockHistory, type KeyHistory, type KeyRevisions } from './verify-history.ts';
import {
  isEventSql,
  type LoadedRevisions,
  type Past,
  type SourceViews,
} from './verify-revisions.ts';
import { WholeHistory } from './verify-whole-history.ts';

/** A view's keys, each with everything its events ever were. */
export interface ViewHistory {
  readonly expressions: readonly string[];
  /** Undefined for a key that no event has. */
  of(key: string): KeyHistory | undefined;
}

/** The histories of views of one source, by view. */
export async function viewHistories(
  scratch: Scratch,
  of: SourceViews,
  loaded: LoadedRevisions,
  past: Pick<Past, 'from' | 'until'>,
): Promise<ReadonlyMap<string, ViewHistory>> {
  const keys: Keys[] = [];
  for (const view of of.views) keys.push(await numberKeys(scratch, view, loaded.table));
  const revisions = await readRevisions(scratch, { ...of, keys, past }, loaded);
  const order = risingOrder(revisions.times);
  return new Map(
    of.views.map((view, index) => {
      const { numbers } = keys[index]!;
      const grouped = groupByKey(revisions.keys[index]!, numbers.size, order);
      return [view.name, new Histories(view, { numbers, grouped, revisions })];
    }),
  );
}

interface Keys {
  /** Scratch table of the keys and their numbers. */
  readonly table: string;
  /** By the text that keys are looked up by. */
  readonly numbers: ReadonlyMap<string, number>;
}

interface Revisions {
  readonly times: Float64Array;
  readonly from: Float64Array;
  readonly until: Float64Array;
  /** Number of each view's key, or -1. */
  readonly keys: readonly Int32Array[];
  /** By expression; NaN is null. */
  readonly values: ReadonlyMap<string, Float64Array>;
}

class Histories implements ViewHistory {
  readonly expressions: readonly string[];
  readonly #hasExtremes: boolean;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #grouped: KeyedRows;
  readonly #revisions: Revisions;
  readonly #known = new Map<number, KeyHistory>();

  constructor(
    view: CompiledView,
    of: {
      readonly numbers: ReadonlyMap<string, number>;
      readonly grouped: KeyedRows;
      readonly revisions: Revisions;
    },
  ) {
    this.expressions = expressionsOf([view]);
    this.#hasExtremes = view.aggregates.some(
      (it) => it.function === 'min' || it.function === 'max',
    );
    this.#numbers = of.numbers;
    this.#grouped = of.grouped;
    this.#revisions = of.revisions;
  }

  of(key: string): KeyHistory | undefined {
    const number = this.#numbers.get(key);
    if (number === undefined) return undefined;
    let history = this.#known.get(number);
    if (history === undefined) this.#known.set(number, (history = this.#create(number)));
    return history;
  }

  /** Only keys that are asked for get one. */
  #create(number: number): KeyHistory {
    const { starts, rows } = this.#grouped;
    const { times, from, until, values } = this.#revisions;
    const own = rows.subarray(starts[number], starts[number + 1]);
    const revisions: KeyRevisions = {
      times: gather(times, own),
      from: gather(from, own),
      until: gather(until, own),
      values: this.expressions.map((expression) => gather(values.get(expression)!, own)),
    };
    const whole = this.#hasExtremes ? null : WholeHistory.of(revisions);
    return whole ?? new BlockHistory(revisions);
  }
}

function expressionsOf(views: readonly CompiledView[]): readonly string[] {
  return [
    ...new Set(views.flatMap(({ aggregates }) => aggregates.flatMap(({ sql }) => sql ?? []))),
  ];
}

async function numberKeys(scratch: Scratch, view: CompiledView, loaded: string): Promise<Keys> {
  const table = scratch.table(`keys of ${view.name}`);
  const parts = view.keys.map((key, index) => `${keySql(key, 'l')} AS k${index}`);
  const isFull = view.keys.map(({ name }) => `l.${duckDbName(name)} IS NOT NULL`).join(' AND ');
  await scratch.run(
    `CREATE TABLE ${table} AS SELECT row_number() OVER () - 1 AS code, * FROM ` +
      `(SELECT DISTINCT ${parts.join(', ')} FROM ${loaded} AS l WHERE ${isFull})`,
  );
  const texts = view.keys.map((_, index) => `CAST(k${index} AS VARCHAR)`).join(', ');
  const numbers = new Map<string, number>();
  for await (const [codes, ...columns] of scratch.columns(
    `SELECT code::DOUBLE, ${texts} FROM ${table}`,
  )) {
    for (const [row, code] of (codes as readonly number[]).entries()) {
      const key = view.keys.map(({ type }, part) => keyPart(type, columns[part]![row] as string));
      numbers.set(keyText(key), code);
    }
  }
  return { table, numbers };
}

async function readRevisions(
  scratch: Scratch,
  of: SourceViews & { readonly keys: readonly Keys[]; readonly past: Pick<Past, 'from' | 'until'> },
  loaded: LoadedRevisions,
): Promise<Revisions> {
  const { source, views, past } = of;
  const expressions = expressionsOf(views);
  const time = `epoch_us(l.${duckDbName(source.eventTimeColumn)})`;
  const isWanted = `${isEventSql(source)} AND ${time} >= ${past.from} AND ${time} < ${past.until}`;
  const joins = views.map((view, index) => {
    const matches = view.keys.map((key, at) => `${keySql(key, 'l')} = k${index}.k${at}`);
    return `LEFT JOIN ${of.keys[index]!.table} AS k${index} ON ${matches.join(' AND ')}`;
  });
  const computed = expressions.map((sql, index) => `, CAST((${sql}) AS DOUBLE) AS v${index}`);
  const selected = [
    'l."=place"::DOUBLE',
    `${time}::DOUBLE`,
    ...views.map((_, index) => `coalesce(k${index}.code, -1)::DOUBLE`),
    ...expressions.map((_, index) => `coalesce(l.v${index}, 'nan'::DOUBLE)`),
  ];
  const events = `SELECT rowid AS "=place", *${computed.join('')} FROM ${loaded.table} AS l WHERE ${isWanted}`;
  const batches = scratch.doubles(
    `SELECT ${selected.join(', ')} FROM (${events}) AS l ${joins.join(' ')}`,
  );
  const columns = new RevisionColumns(loaded, { views: views.length, values: expressions.length });
  for await (const { rowCount, columns: batch } of batches) columns.add(rowCount, batch);
  const { times, from, until, keys, values } = columns.whole();
  const named = expressions.map((expression, index) => [expression, values[index]!] as const);
  return { times, from, until, keys, values: new Map(named) };
}

/** Revisions as they are read, with the versions in which each was the one that counted. */
class RevisionColumns {
  readonly #replaced: ReadonlyMap<number, number>;
  /** By place. */
  readonly #versions: Float64Array;
  readonly #times: Float64Array;
  readonly #from: Float64Array;
  readonly #until: Float64Array;
  readonly #keys: readonly Int32Array[];
  readonly #values: readonly Float64Array[];
  #count = 0;

  constructor(
    { rows, commits, replaced }: LoadedRevisions,
    of: { readonly views: number; readonly values: number },
  ) {
    this.#replaced = replaced;
    this.#versions = new Float64Array(rows);
    for (const [index, { place, version }] of commits.entries()) {
      this.#versions.fill(version, place, commits[index + 1]?.place);
    }
    this.#times = new Float64Array(rows);
    this.#from = new Float64Array(rows);
    this.#until = new Float64Array(rows);
    this.#keys = Array.from({ length: of.views }, () => new Int32Array(rows));
    this.#values = Array.from({ length: of.values }, () => new Float64Array(rows));
  }

  add(rowCount: number, columns: readonly Float64Array[]): void {
    const [places, times, ...rest] = columns as [Float64Array, Float64Array, ...Float64Array[]];
    const targets = [...this.#keys, ...this.#values];
    for (let row = 0; row < rowCount; row += 1) {
      const place = places[row]!;
      const from = this.#versions[place]!;
      const later = this.#replaced.get(place);
      const until = later === undefined ? Infinity : this.#versions[later]!;
      // A row that another of its own version replaced never counted.
      if (until === from) continue;
      const at = this.#count;
      this.#times[at] = times[row]!;
      this.#from[at] = from;
      this.#until[at] = until;
      for (let index = 0; index < targets.length; index += 1) {
        targets[index]![at] = rest[index]![row]!;
      }
      this.#count += 1;
    }
  }

  whole() {
    const count = this.#count;
    return {
      times: this.#times.subarray(0, count),
      from: this.#from.subarray(0, count),
      until: this.#until.subarray(0, count),
      keys: this.#keys.map((column) => column.subarray(0, count)),
      values: this.#values.map((column) => column.subarray(0, count)),
    };
  }
}
