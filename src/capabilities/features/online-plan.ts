import { compileExpression, toDouble } from '../../formats/expression/evaluate.ts';
import type { KvReader } from '../../platform/kv/port.ts';
import type { CompiledAggregate, CompiledKey, CompiledService, CompiledView } from './compiled.ts';
import { tableKey, type Build, type BuiltView, type Catalog } from './tiles-catalog.ts';
import {
  EVENTS,
  MAX,
  MIN,
  NON_NULL,
  SUM,
  TileReader,
  totalAt,
  windowStride,
} from './tiles-read.ts';

/** How a service is read, as long as the catalog is the same. */
export interface ReadPlan {
  readonly epoch: number;
  readonly views: readonly ViewRead[];
  readonly requested: readonly RequestRead[];
  /** The builds the views are in, those of one table side by side. */
  readonly tables: readonly BuildRead[];
}

export interface ViewRead {
  readonly keys: readonly CompiledKey[];
  readonly reader: TileReader;
  readonly features: readonly {
    readonly position: number;
    readonly value: (totals: Float64Array) => number | null;
  }[];
}

export interface RequestRead {
  readonly position: number;
  readonly value: (row: Readonly<Record<string, unknown>>) => number | null;
}

export interface BuildRead {
  /** `<namespace>.<table>` */
  readonly table: string;
  readonly build: number;
  /** The longest window read of it, microseconds. */
  readonly longest: number;
  /** False when another build of the same table comes before it. */
  readonly isFirst: boolean;
}

/** Null while a view has no tiles that may be read. */
export function planReads(
  kv: Pick<KvReader, 'get' | 'peek'>,
  service: CompiledService,
  catalog: Catalog,
): ReadPlan | null {
  const views: ViewRead[] = [];
  const longest = new Map<Build, number>();
  for (const view of service.views) {
    const found = findBuilt(catalog, view.hash);
    if (found === null) return null;
    longest.set(found.build, Math.max(longest.get(found.build) ?? 0, found.view.longest));
    views.push(viewRead(kv, service, { view, built: found.view }));
  }
  const builds = [...longest].sort(([a], [b]) => (tableKey(a.table) < tableKey(b.table) ? -1 : 1));
  const tables = builds.map(([{ id, table }, micros], index) => ({
    table: tableKey(table),
    build: id,
    longest: micros,
    isFirst: index === 0 || tableKey(builds[index - 1]![0].table) !== tableKey(table),
  }));
  return { epoch: catalog.epoch, views, requested: requestReads(service), tables };
}

function findBuilt(
  catalog: Catalog,
  hash: string,
): { readonly build: Build; readonly view: BuiltView } | null {
  for (const build of catalog.builds) {
    if (build.state === 'filling') continue;
    const view = build.views.find((it) => it.hash === hash);
    if (view !== undefined) return { build, view };
  }
  return null;
}

function viewRead(
  kv: Pick<KvReader, 'get' | 'peek'>,
  service: CompiledService,
  of: { readonly view: CompiledView; readonly built: BuiltView },
): ViewRead {
  const { view, built } = of;
  const windows = view.windows.toSorted((a, b) => a.micros - b.micros);
  const expressions = built.expressions.length;
  const reader = new TileReader(kv, {
    id: built.id,
    expressions,
    windows: windows.map(({ micros }) => micros),
    bounded: built.expressions.map((sql) =>
      view.aggregates.some(
        (it) => it.sql === sql && (it.function === 'min' || it.function === 'max'),
      ),
    ),
  });
  const features = service.features.flatMap((feature, position) => {
    if (feature.kind !== 'window' || feature.view !== view.name) return [];
    const window = windows.findIndex(({ name }) => name === feature.window);
    const aggregate = view.aggregates.find(({ name }) => name === feature.aggregate)!;
    const start = window * windowStride(expressions);
    return [{ position, value: totalOf(aggregate, start, built.expressions) }];
  });
  return { keys: view.keys, reader, features };
}

export function totalOf(
  { function: name, sql }: CompiledAggregate,
  start: number,
  expressions: readonly string[],
): (totals: Float64Array) => number | null {
  if (sql === null) return (totals) => totals[start + EVENTS]!;
  const expression = expressions.indexOf(sql);
  const at = (what: number): number => start + totalAt(expression, what);
  const [count, sum] = [at(NON_NULL), at(SUM)];
  switch (name) {
    case 'count':
      return (totals) => totals[count]!;
    case 'sum':
      return (totals) => finite(totals[sum]!);
    case 'avg':
      return (totals) => finite(totals[sum]! / totals[count]!);
    case 'min':
      return (totals) => finite(totals[at(MIN)]!);
    case 'max':
      return (totals) => finite(totals[at(MAX)]!);
  }
}

/** Over no value there is none; and what no double holds is none either. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function requestReads({
  features,
  requestExpressions,
  zones,
}: CompiledService): RequestRead[] {
  return features.flatMap((feature, position) => {
    if (feature.kind !== 'request') return [];
    const evaluate = compileExpression(requestExpressions[feature.expression]!, { zones });
    return [{ position, value: (row) => toDouble(evaluate(row)) }];
  });
}
