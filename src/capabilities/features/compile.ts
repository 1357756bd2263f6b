import type { Expression } from '../../formats/expression/expression.ts';
import type {
  CompiledAggregate,
  CompiledKey,
  CompiledService,
  CompiledTrainingSet,
  CompiledView,
} from './compiled.ts';
import { compileService } from './compile-service.ts';
import { compileTrainingSet } from './compile-training-set.ts';
import { hashOf } from './definition-hash.ts';
import { parseAt, printAt, reference } from './definition-place.ts';
import { durationMicros, invalid, type Definitions } from './definitions.ts';
import {
  resolveSource,
  suggestion,
  type ResolvedSource,
  type TableSchemas,
} from './resolve-source.ts';

/** What is known of the workspace when definitions are compiled. */
export interface CompileContext {
  readonly schemas: TableSchemas;
  /** IANA zone by key, of each entity that declares `time_zone`. */
  readonly zones: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Compiled {
  readonly views: ReadonlyMap<string, CompiledView>;
  readonly services: ReadonlyMap<string, CompiledService>;
  readonly trainingSets: ReadonlyMap<string, CompiledTrainingSet>;
}

/** Resolves every definition; rejects with `INVALID_CONFIG`, `details.path` naming the place. */
export function compile(definitions: Definitions, context: CompileContext): Compiled {
  const sources = new Map<string, ResolvedSource>();
  for (const name of Object.keys(definitions.sources)) {
    sources.set(name, resolveSource(definitions, name, context.schemas));
  }
  const views = new Map<string, CompiledView>();
  for (const name of Object.keys(definitions.views)) {
    views.set(name, compileView(definitions, name, sources));
  }
  const services = new Map<string, CompiledService>();
  for (const name of Object.keys(definitions.services)) {
    services.set(name, compileService(definitions, name, { views, zones: context.zones }));
  }
  const trainingSets = new Map<string, CompiledTrainingSet>();
  for (const name of Object.keys(definitions.training_sets)) {
    trainingSets.set(name, compileTrainingSet(definitions, name, { sources, services }));
  }
  return { views, services, trainingSets };
}

function compileView(
  definitions: Definitions,
  name: string,
  sources: ReadonlyMap<string, ResolvedSource>,
): CompiledView {
  const declared = definitions.views[name]!;
  const path = ['views', name];
  const resolved = reference(sources, declared.source, [...path, 'source'], 'source');
  const entity = definitions.entities[declared.entity];
  if (entity === undefined) {
    const hint = suggestion(declared.entity, Object.keys(definitions.entities), 'Declare it.');
    throw invalid([...path, 'entity'], `There is no entity ${declared.entity}.`, hint);
  }
  const keys: CompiledKey[] = Object.entries(entity.keys).map(([key, declaredType]) => {
    const type = declaredType === 'string' ? 'string' : 'long';
    if (resolved.columns[key] === type) return { name: key, type };
    const known = Object.keys(resolved.columns);
    const hint = suggestion(key, known, `Declare it among the columns of ${declared.source}.`);
    const wrong = `View ${name}: source ${declared.source} has no ${declaredType} column ${key}`;
    throw invalid([...path, 'entity'], `${wrong}, a key of ${declared.entity}.`, hint);
  });
  const windows = declared.windows.map((window, index) => {
    if (declared.windows.indexOf(window) === index) {
      return { name: window, micros: durationMicros(window) };
    }
    throw invalid([...path, 'windows', index], `View ${name} has the window ${window} twice.`);
  });
  const aggregates = Object.entries(declared.features).map(([feature, { agg, of }]) =>
    compileAggregate({ name: feature, agg, of }, [...path, 'features', feature], resolved),
  );
  const view = { name, source: resolved.source, keys, windows, aggregates };
  return { ...view, hash: hashOf(view) };
}

function compileAggregate(
  {
    name,
    agg,
    of,
  }: Pick<CompiledAggregate, 'name'> & {
    readonly agg: CompiledAggregate['function'];
    readonly of: string | undefined;
  },
  path: readonly string[],
  { columns }: ResolvedSource,
): CompiledAggregate {
  if (agg === 'count') {
    if (of === undefined) return { name, function: agg, sql: null, of: null };
    throw invalid([...path, 'of'], 'A count counts events and takes no of.', 'Leave of out.');
  }
  if (of === undefined) throw invalid(path, `${agg} needs of: what to aggregate.`);
  const place = [...path, 'of'];
  const expression = parseAt(of, { columns, zoned: {} }, place);
  const double = asDouble(expression, place);
  return { name, function: agg, sql: printAt(double, place), of: double };
}

function asDouble(expression: Expression, path: readonly PropertyKey[]): Expression {
  if (expression.type === 'double') return expression;
  if (expression.type === 'long') {
    return { kind: 'call', type: 'double', operation: 'cast', args: [expression] };
  }
  const hint = expression.type === 'boolean' ? 'Write cast(... as double).' : undefined;
  throw invalid(path, `A ${expression.type} cannot be aggregated.`, hint);
}
