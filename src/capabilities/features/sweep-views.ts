import { setImmediate } from 'node:timers/promises';
import { assert } from '../../base/assert.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import type { CompiledService, CompiledView } from './compiled.ts';
import { gather, groupByKey } from './keyed-rows.ts';
import { risingOrder } from './radix-sort.ts';
import { keySql, NUMBER, TIME } from './scratch-events.ts';
import { Sweep, type SweepQueries } from './sweep.ts';

/** Rows to compute vectors for: numbered from 0 in the order of time, with their keys by name. */
export interface SpineTable {
  readonly table: string;
  readonly rowCount: number;
  /** The least and the greatest T, microseconds. */
  readonly first: number;
  readonly last: number;
}

export interface SweepRequest {
  readonly service: CompiledService;
  readonly spine: SpineTable;
  /** Nothing later is seen. */
  readonly now: number;
  /** A column for each feature; those of windows are filled. NaN stands for null. */
  readonly results: readonly Float64Array[];
}

/** Events in memory at once: half a gigabyte with two values and three keys. */
export const EVENTS_AT_ONCE = 12 * 1024 * 1024;
/** Rows swept before others may run on the engine's thread. */
const TURN_ROWS = 100_000;

/** Computes all window features at every row of the spine. */
export async function sweepViews(
  scratch: Scratch,
  request: SweepRequest,
  eventsAtOnce = EVENTS_AT_ONCE,
): Promise<void> {
  const sweeps = new ViewSweeps(scratch, request);
  const bySource = Map.groupBy(request.service.views, ({ source }) => source.name);
  for (const views of bySource.values()) await sweeps.run(views, eventsAtOnce);
}

/** A view, and the spine's rows by its keys; those without a full key see no event. */
interface KeyedView {
  readonly view: CompiledView;
  /** A scratch table of the keys that the spine has, with their numbers. */
  readonly keys: string;
  readonly queries: SweepQueries;
}

/** Events of some views: all of them, or those of every `parts`-th key from `part` on. */
interface EventsOf {
  readonly views: readonly KeyedView[];
  readonly part: number;
  readonly parts: number;
}

interface Events {
  readonly times: Float64Array;
  /** Number of each view's key, or -1. */
  readonly keys: readonly Int32Array[];
  /** By expression, NaN for null. */
  readonly values: ReadonlyMap<string, Float64Array>;
}

class ViewSweeps {
  readonly #scratch: Scratch;
  readonly #request: SweepRequest;

  constructor(scratch: Scratch, request: SweepRequest) {
    this.#scratch = scratch;
    this.#request = request;
  }

  /** Views of one source: they share one look at its events, as long as those fit. */
  async run(views: readonly CompiledView[], eventsAtOnce: number): Promise<void> {
    for (const view of views) this.#clear(view);
    const keyed = await this.#keyedViews(views);
    const whole = { views: keyed, part: 0, parts: 1 };
    const parts = Math.ceil((await this.#count(whole)) / eventsAtOnce);
    if (parts <= 1) {
      await this.#sweep(whole);
      return;
    }
    for (const view of keyed) {
      for (let part = 0; part < parts; part += 1) await this.#sweep({ views: [view], part, parts });
    }
  }

  /** What no event gives, which is all that rows without a full key see. */
  #clear(view: CompiledView): void {
    for (const [at, aggregate] of view.aggregates.entries()) {
      for (const target of this.#targetsOf(view)[at]!) {
        target?.fill(aggregate.function === 'count' ? 0 : Number.NaN);
      }
    }
  }

  /** The columns that a view's features go into. */
  #targetsOf(view: CompiledView): (Float64Array | null)[][] {
    const { service, results } = this.#request;
    return view.aggregates.map((aggregate) =>
      view.windows.map((window) => {
        const at = service.features.findIndex(
          (feature) =>
            feature.kind === 'window' &&
            feature.view === view.name &&
            feature.aggregate === aggregate.name &&
            feature.window === window.name,
        );
        return results[at] ?? null;
      }),
    );
  }

  async #keyedViews(views: readonly CompiledView[]): Promise<readonly KeyedView[]> {
    const { spine } = this.#request;
    const named = views.map((view) => ({
      view,
      keys: this.#scratch.table(`keys of ${view.name}`),
    }));
    for (const { view, keys } of named) await this.#makeKeys(view, keys);
    const times = new Float64Array(spine.rowCount);
    const codes = views.map(() => new Int32Array(spine.rowCount));
    const selected = [`s.${NUMBER}::DOUBLE`, `s.${TIME}::DOUBLE`, ...codesSql(named)];
    const sql = `SELECT ${selected.join(', ')} FROM ${spine.table} AS s ${joinsSql('s', named)}`;
    for await (const { rowCount, columns } of this.#scratch.doubles(sql)) {
      const [numbers, at, ...keys] = columns as [Float64Array, Float64Array, ...Float64Array[]];
      for (let index = 0; index < rowCount; index += 1) {
        const row = numbers[index]!;
        times[row] = at[index]!;
        for (let view = 0; view < keys.length; view += 1) codes[view]![row] = keys[view]![index]!;
      }
    }
    return named.map((one, index) => {
      const keyCount = codes[index]!.reduce((most, code) => Math.max(most, code), -1) + 1;
      const { starts, rows } = groupByKey(codes[index]!, keyCount);
      return { ...one, queries: { starts, rows, times: gather(times, rows) } };
    });
  }

  /** Numbers the keys that the spine has from 0. */
  async #makeKeys(view: CompiledView, table: string): Promise<void> {
    const named = view.keys.map((key, index) => `${keySql(key, 's')} AS k${index}`);
    const isFull = view.keys.map(({ name }) => `s.${duckDbName(name)} IS NOT NULL`).join(' AND ');
    await this.#scratch.run(
      `CREATE TABLE ${table} AS SELECT row_number() OVER () - 1 AS code, * FROM (SELECT ` +
        `DISTINCT ${named.join(', ')} FROM ${this.#request.spine.table} AS s WHERE ${isFull})`,
    );
  }

  async #sweep(of: EventsOf): Promise<void> {
    const events = await this.#read(of);
    const order = risingOrder(events.times);
    for (const [index, { view, queries }] of of.views.entries()) {
      const keyCount = queries.starts.length - 1;
      const { starts, rows } = groupByKey(events.keys[index]!, keyCount, order);
      const values = new Map<string, Float64Array>();
      for (const sql of expressionsOf([view]))
        values.set(sql, gather(events.values.get(sql)!, rows));
      const sweep = new Sweep({
        windows: view.windows.map(({ micros }) => micros),
        aggregates: view.aggregates.map((aggregate) => aggregate.function),
        targets: this.#targetsOf(view),
        events: {
          starts,
          times: gather(events.times, rows),
          values: view.aggregates.map(({ sql }) => (sql === null ? null : values.get(sql)!)),
        },
        queries,
      });
      let swept = 0;
      for (let key = of.part; key < keyCount; key += of.parts) {
        sweep.answer(key);
        swept += sweep.rowsOf(key);
        if (swept < TURN_ROWS) continue;
        swept = 0;
        await setImmediate();
      }
    }
  }

  async #read(of: EventsOf): Promise<Events> {
    const count = await this.#count(of);
    const expressions = expressionsOf(of.views.map(({ view }) => view));
    const times = new Float64Array(count);
    const keys = of.views.map(() => new Int32Array(count));
    const values = expressions.map(() => new Float64Array(count));
    const targets = [times, ...keys, ...values];
    const selected = [
      `e.${TIME}::DOUBLE`,
      ...codesSql(of.views),
      ...expressions.map((_, index) => `coalesce(e.v${index}, 'nan'::DOUBLE)`),
    ];
    let at = 0;
    const sql = `SELECT ${selected.join(', ')} ${this.#keyedSql(of)}`;
    for await (const { rowCount, columns } of this.#scratch.doubles(sql)) {
      for (const [index, target] of targets.entries()) target.set(columns[index]!, at);
      at += rowCount;
    }
    assert(at === count, 'events were counted wrong');
    return { times, keys, values: new Map(expressions.map((sql, index) => [sql, values[index]!])) };
  }

  async #count(of: EventsOf): Promise<number> {
    // A row of the spine's keys has one number, so that joining adds no row.
    const from = of.parts === 1 ? this.#eventsSql(of) : this.#keyedSql(of);
    const [[count]] = (await this.#scratch.rows(`SELECT count(*) ${from}`)) as [[bigint]];
    return Number(count);
  }

  /** The events that a window of a row of the spine can see. */
  #eventsSql({ views }: EventsOf): string {
    const { first, last } = this.#request.spine;
    const { source } = views[0]!.view;
    const values = expressionsOf(views.map(({ view }) => view));
    const computed = values.map((sql, index) => `, ${sql} AS v${index}`).join('');
    const longest = Math.max(...views.flatMap(({ view }) => view.windows.map((it) => it.micros)));
    const end = Math.min(last, this.#request.now + 1);
    return (
      `FROM (SELECT *${computed} FROM ${this.#scratch.table(source.name)} ` +
      `WHERE ${TIME} >= ${first - longest} AND ${TIME} < ${end}) AS e`
    );
  }

  /** With the keys that each event has. */
  #keyedSql(of: EventsOf): string {
    const isInPart = of.parts === 1 ? '' : `WHERE k0.code % ${of.parts} = ${of.part}`;
    return `${this.#eventsSql(of)} ${joinsSql('e', of.views)} ${isInPart}`;
  }
}

/** Every expression once. */
function expressionsOf(views: readonly CompiledView[]): readonly string[] {
  return [
    ...new Set(views.flatMap(({ aggregates }) => aggregates.flatMap(({ sql }) => sql ?? []))),
  ];
}

type Keys = readonly Pick<KeyedView, 'view' | 'keys'>[];

function codesSql(views: Keys): readonly string[] {
  return views.map((_, index) => `coalesce(k${index}.code, -1)::DOUBLE`);
}

/** A row of several views has the key of each, or none. */
function joinsSql(of: string, views: Keys): string {
  const joins = views.map(({ view, keys }, index) => {
    const matches = view.keys.map((key, at) => `${keySql(key, of)} = k${index}.k${at}`);
    return `LEFT JOIN ${keys} AS k${index} ON ${matches.join(' AND ')}`;
  });
  return joins.join(' ');
}
