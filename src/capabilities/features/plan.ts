import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { ZoneClock } from '../../formats/expression/local-time.ts';
import type { Declared, PlannedChange, PlanPart } from '../../platform/capability.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { TablesService } from '../tables/service.ts';
import { compile, type Compiled, type CompileContext } from './compile.ts';
import { ZONES_MAX } from './contract.ts';
import { hashOf } from './definition-hash.ts';
import {
  FEATURE_SECTIONS,
  invalid,
  parseDefinitions,
  tableRefOf,
  tablesOf,
  type Definitions,
  type FeatureSection,
} from './definitions.ts';
import { columnOf, keyTypeOf, suggestion } from './resolve-source.ts';
import type { DefinitionKind, FeaturesStore, NewDefinition } from './store.ts';
import type { FeaturesTasks } from './tasks.ts';

export interface FeaturesPlanDeps {
  readonly store: FeaturesStore;
  readonly tables: Pick<TablesService, 'get' | 'list'>;
  readonly engine: Engine<FeaturesTasks>;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Pick<Clock, 'wall'>;
}

const KINDS: Readonly<Record<FeatureSection, DefinitionKind>> = {
  sources: 'source',
  entities: 'entity',
  views: 'view',
  services: 'service',
  labels: 'label',
  training_sets: 'training_set',
};

/** The feature sections of `millwright.yaml` against the definitions in force. */
export function featuresPlan(deps: FeaturesPlanDeps): PlanPart {
  const difference = async (declared: Declared): Promise<Difference> => {
    const wanted = await resolve(deps, parseDefinitions(declared));
    return compare(deps.store, wanted);
  };
  return {
    sections: FEATURE_SECTIONS,
    plan: async (declared) => (await difference(declared)).changes,
    apply: async (declared, actor) => {
      const { changes, put, remove } = await difference(declared);
      if (changes.length === 0) return changes;
      const { store, clock, events } = deps;
      const data = { changes: changes.map(({ action, kind, name }) => ({ action, kind, name })) };
      const event = { actor, kind: 'features.applied', subject: 'features', data };
      const steps = [events.step(event)];
      await store.apply({ put, remove, at: clock.wall(), by: actor, events: steps });
      return changes;
    },
  };
}

interface Difference {
  readonly changes: readonly PlannedChange[];
  readonly put: readonly NewDefinition[];
  readonly remove: readonly { readonly kind: DefinitionKind; readonly name: string }[];
}

async function compare(
  store: FeaturesStore,
  wanted: readonly NewDefinition[],
): Promise<Difference> {
  const current = await store.current();
  const changes: PlannedChange[] = [];
  const put: NewDefinition[] = [];
  for (const definition of wanted) {
    const { kind, name, hash } = definition;
    const known = current.find((row) => row.kind === kind && row.name === name);
    if (known?.hash === hash) continue;
    put.push(definition);
    if (known === undefined) {
      changes.push({ action: 'create', kind: label(kind), name, summary: described(definition) });
    } else {
      const former = await store.findByHash(kind, name, known.hash);
      const summary = difference(former?.declared ?? {}, definition.body.declared);
      changes.push({ action: 'change', kind: label(kind), name, summary });
    }
  }
  const remove = current.filter(
    ({ kind, name }) => !wanted.some((one) => one.kind === kind && one.name === name),
  );
  for (const { kind, name } of remove) {
    const summary = 'no longer declared; its definition is kept';
    changes.push({ action: 'remove', kind: label(kind), name, summary });
  }
  return { changes, put, remove };
}

function label(kind: DefinitionKind): string {
  return kind.replace('_', ' ');
}

function described({ kind, hash, body }: NewDefinition): string {
  const { features, windows } = body.declared;
  if (kind === 'view' && Array.isArray(windows)) {
    const count = Object.keys(features as object).length;
    return `${count} features over ${windows.join(', ')}; definition ${short(hash)}`;
  }
  return `definition ${short(hash)}`;
}

/** What of the declaration changed, such as `windows [2h,7d] -> [2h,14d]`. */
function difference(
  former: Readonly<Record<string, unknown>>,
  next: Readonly<Record<string, unknown>>,
): string {
  const keys = [...new Set([...Object.keys(former), ...Object.keys(next)])];
  const changed = keys.flatMap((key) => {
    const [before, after] = [shown(former[key]), shown(next[key])];
    return before === after ? [] : [`${key} ${before} -> ${after}`];
  });
  return changed.length === 0 ? 'what it rests on changed' : changed.join('; ');
}

const SHOWN_MAX = 80;

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  const text = JSON.stringify(value).replaceAll('"', '');
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 3)}...`;
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

/** Every declared object as it would be stored, compiled against the tables as they are. */
async function resolve(
  deps: FeaturesPlanDeps,
  definitions: Definitions,
): Promise<readonly NewDefinition[]> {
  const schemas = await schemasOf(deps, definitions);
  const zones = await zonesOf(deps, definitions, schemas);
  const compiled = compile(definitions, { schemas, zones });
  return FEATURE_SECTIONS.flatMap((section) =>
    Object.entries(definitions[section]).map(([name, declared]): NewDefinition => {
      const kind = KINDS[section];
      const found = compiledOf(compiled, kind, name);
      const hash = found?.hash ?? hashOf(declared);
      return { kind, name, hash, body: { declared, compiled: found } };
    }),
  );
}

function compiledOf(compiled: Compiled, kind: DefinitionKind, name: string) {
  if (kind === 'view') return compiled.views.get(name)!;
  if (kind === 'service') return compiled.services.get(name)!;
  return kind === 'training_set' ? compiled.trainingSets.get(name)! : null;
}

async function schemasOf(
  { tables }: FeaturesPlanDeps,
  definitions: Definitions,
): Promise<ReadonlyMap<string, readonly Column[]>> {
  const schemas = new Map<string, readonly Column[]>();
  for (const [table, { path }] of tablesOf(definitions)) {
    const ref = tableRefOf(table);
    try {
      schemas.set(table, (await tables.get(ref, undefined)).columns);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      throw await unusableTable(tables, table, path, thrown);
    }
  }
  return schemas;
}

const TABLES_SUGGESTED = 1000;

async function unusableTable(
  tables: FeaturesPlanDeps['tables'],
  table: string,
  path: readonly string[],
  thrown: AppError,
): Promise<AppError> {
  if (thrown.code !== 'TABLE_NOT_FOUND') {
    const isNaive = thrown.message.includes('timestamp_ntz');
    const why = isNaive ? ' Its times have no zone: load it with instants.' : '';
    return invalid(path, `Table ${table} cannot be read: ${thrown.message}${why}`, thrown.hint);
  }
  const { items } = await tables.list({ limit: TABLES_SUGGESTED });
  const known = items.map(({ namespace, name }) => `${namespace}.${name}`);
  const hint = suggestion(table, known, `Create it: millwright tables create ${table} ...`);
  return invalid(path, `There is no table ${table}.`, hint);
}

async function zonesOf(
  { engine }: FeaturesPlanDeps,
  definitions: Definitions,
  schemas: CompileContext['schemas'],
): Promise<CompileContext['zones']> {
  const zones: Record<string, Readonly<Record<string, string>>> = {};
  for (const [entity, { keys, time_zone: declared }] of Object.entries(definitions.entities)) {
    if (declared === undefined) continue;
    const path = ['entities', entity, 'time_zone'];
    if (Object.keys(keys).length !== 1) {
      throw invalid(path, `Entity ${entity} has several keys: a zone goes by one.`);
    }
    const ref = tableRefOf(declared.table);
    const table = `${ref.namespace}.${ref.name}`;
    const at = { schema: schemas.get(table)!, table };
    const key = columnOf(declared.key, { ...at, path: [...path, 'key'] });
    const value = columnOf(declared.value, { ...at, path: [...path, 'value'] });
    if (keyTypeOf(key) === null || value.type !== 'string') {
      throw invalid(path, `Entity ${entity}: keys are strings or integers, zones are strings.`);
    }
    const input = { ...ref, key: key.name, value: value.name, limit: ZONES_MAX + 1 };
    zones[entity] = checked(await engine.run('features.pairs', input), { path, table });
  }
  return zones;
}

function checked(
  pairs: readonly (readonly [string, string])[],
  { path, table }: { readonly path: readonly string[]; readonly table: string },
): Readonly<Record<string, string>> {
  if (pairs.length > ZONES_MAX) {
    throw invalid(path, `Table ${table} has more than ${ZONES_MAX} keys.`);
  }
  const byKey = new Map<string, string>();
  const known = new Set<string>();
  for (const [key, zone] of pairs) {
    if ((byKey.get(key) ?? zone) !== zone) {
      throw invalid(path, `Table ${table} has two zones for ${key}: ${byKey.get(key)}, ${zone}.`);
    }
    if (!known.has(zone) && ZoneClock.of(zone) === null) {
      const hint = 'Zones are IANA names, such as America/Chicago.';
      throw invalid(path, `Table ${table}: the zone of ${key}, ${zone}, is none.`, hint);
    }
    known.add(zone);
    byKey.set(key, zone);
  }
  return Object.fromEntries(byKey);
}
