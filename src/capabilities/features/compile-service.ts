import type { Expression } from '../../formats/expression/expression.ts';
import type { CompiledFeature, CompiledInput, CompiledService, CompiledView } from './compiled.ts';
import { hashOf } from './definition-hash.ts';
import { parseAt, reference } from './definition-place.ts';
import { DeclaredType, invalid, type Definitions } from './definitions.ts';
import { suggestion, VALUE_TYPES } from './resolve-source.ts';

/** Columns of a training set, less its own: row id, T and label. */
export const FEATURES_MAX = 1990;

export interface ServiceContext {
  readonly views: ReadonlyMap<string, CompiledView>;
  readonly zones: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function compileService(
  definitions: Definitions,
  name: string,
  context: ServiceContext,
): CompiledService {
  const declared = definitions.services[name]!;
  const path = ['services', name];
  const windowed = declared.features.flatMap((pattern, index) =>
    expand(pattern, context.views, [...path, 'features', index]),
  );
  const viewNames = [...new Set(windowed.map(({ view }) => view))];
  const views = viewNames.map((view) => context.views.get(view)!);
  const keys = keyInputs(views, path);
  const request = Object.entries(declared.request ?? {});
  const added = request.flatMap(([input, text]) => requestInput(input, text, keys, path));
  const inputs = [...keys, ...added];
  const scope = scopeOf(definitions, inputs);
  const requestExpressions: Expression[] = [];
  const requested = request.map(([feature, text]): CompiledFeature => {
    const at = [...path, 'request', feature];
    const isType = DeclaredType.safeParse(text).success;
    const expression = parseAt(isType ? feature : text, scope, at);
    if (expression.type === 'string' || expression.type === 'timestamp') {
      throw invalid(at, `Feature ${feature} is a ${expression.type}: a feature is a number.`);
    }
    requestExpressions.push(expression);
    return { kind: 'request', name: feature, expression: requestExpressions.length - 1 };
  });
  const features = [...windowed, ...requested];
  assertFeatures(features, path);
  const zones = zonesOf(requestExpressions, context.zones);
  const service = { views, inputs, requestExpressions, features, zones };
  return { name, hash: hashOf(service), ...service };
}

function assertFeatures(features: readonly CompiledFeature[], path: readonly string[]): void {
  if (features.length === 0) throw invalid(path, `Service ${path[1]} has no features.`);
  if (features.length > FEATURES_MAX) {
    const many = `Service ${path[1]} has ${features.length} features; ${FEATURES_MAX} are allowed.`;
    throw invalid(path, many);
  }
  const seen = new Set<string>();
  for (const { name } of features) {
    if (seen.has(name)) {
      throw invalid([...path, 'features'], `Service ${path[1]} has the feature ${name} twice.`);
    }
    if (name === 'row_id' || name === 't' || name === 'label') {
      throw invalid([...path, 'request', name], `${name} is a column of every training set.`);
    }
    seen.add(name);
  }
}

type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

/** The features of `view.*`, `view.aggregate` or `view.aggregate_window`, by aggregate. */
function expand(
  pattern: string,
  views: ReadonlyMap<string, CompiledView>,
  path: readonly PropertyKey[],
): readonly WindowFeature[] {
  const dot = pattern.indexOf('.');
  const rest = pattern.slice(dot + 1);
  if (dot === -1) {
    throw invalid(path, `${pattern} is no feature.`, 'Write view.*, or view.feature.');
  }
  const view = reference(views, pattern.slice(0, dot), path, 'view');
  const all = view.aggregates.flatMap((aggregate) =>
    view.windows.map((window): WindowFeature => ({
      kind: 'window',
      name: `${view.name}__${aggregate.name}_${window.name}`,
      view: view.name,
      aggregate: aggregate.name,
      window: window.name,
    })),
  );
  if (rest === '*') return all;
  const byAggregate = all.filter(({ aggregate }) => aggregate === rest);
  if (byAggregate.length > 0) return byAggregate;
  const one = all.filter(({ aggregate, window }) => `${aggregate}_${window}` === rest);
  if (one.length > 0) return one;
  const known = all.flatMap(({ aggregate, window }) => [aggregate, `${aggregate}_${window}`]);
  const hint = suggestion(rest, known, `Its features are ${[...new Set(known)].join(', ')}.`);
  throw invalid(path, `View ${view.name} has no feature ${rest}.`, hint);
}

/** Keys of all views, each once; a name must mean one type. */
function keyInputs(views: readonly CompiledView[], path: readonly string[]): CompiledInput[] {
  const inputs: CompiledInput[] = [];
  for (const { keys, name: view } of views) {
    for (const { name, type } of keys) {
      const known = inputs.find((input) => input.name === name);
      if (known === undefined) inputs.push({ name, type, role: 'key' });
      else if (known.type !== type) {
        const wrong = `Key ${name} of view ${view} is a ${type}, of another view ${known.type}.`;
        throw invalid([...path, 'features'], wrong);
      }
    }
  }
  return inputs;
}

/** The input that `distance: int32` declares; an expression declares none. */
function requestInput(
  name: string,
  text: string,
  keys: readonly CompiledInput[],
  path: readonly string[],
): CompiledInput[] {
  const parsed = DeclaredType.safeParse(text);
  if (!parsed.success) return [];
  const at = [...path, 'request', name];
  if (name === 'T') throw invalid(at, 'T is the time of the request.');
  if (keys.some((key) => key.name === name)) {
    throw invalid(at, `${name} is a key already.`, 'Give the feature another name.');
  }
  const type = VALUE_TYPES[parsed.data];
  if (type === 'timestamp' || type === 'local') {
    throw invalid(at, `Feature ${name} is a ${parsed.data}: a feature is a number.`);
  }
  return [{ name, type, role: 'request' }];
}

function scopeOf(definitions: Definitions, inputs: readonly CompiledInput[]) {
  const zoned: Record<string, { key: string }> = {};
  for (const [entity, { keys, time_zone: zone }] of Object.entries(definitions.entities)) {
    const [key] = Object.keys(keys);
    if (zone !== undefined && inputs.some((input) => input.name === key)) {
      zoned[entity] = { key: key! };
    }
  }
  const columns = Object.fromEntries(inputs.map(({ name, type }) => [name, type]));
  return { columns: { ...columns, T: 'timestamp' as const }, zoned };
}

/** The zones that the expressions ask for: others are no part of the definition. */
function zonesOf(
  expressions: readonly Expression[],
  zones: ServiceContext['zones'],
): CompiledService['zones'] {
  const asked = [...new Set(expressions.flatMap(entitiesIn))].sort();
  return Object.fromEntries(
    asked.map((entity) => {
      const byKey = Object.entries(zones[entity] ?? {});
      return [entity, Object.fromEntries(byKey.sort(([a], [b]) => (a < b ? -1 : 1)))];
    }),
  );
}

function entitiesIn(expression: Expression): readonly string[] {
  if (expression.kind === 'local') return [expression.entity, ...entitiesIn(expression.time)];
  return expression.kind === 'call' ? expression.args.flatMap(entitiesIn) : [];
}
