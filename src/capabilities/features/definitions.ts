import { z } from 'zod';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { MICROS_PER_SECOND } from '../../base/time.ts';
import type { Declared } from '../../platform/capability.ts';

/** The sections of `millwright.yaml` that declare features, as they are written. */
export const FEATURE_SECTIONS = [
  'sources',
  'entities',
  'views',
  'services',
  'labels',
  'training_sets',
] as const;
export type FeatureSection = (typeof FEATURE_SECTIONS)[number];

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Windows of ten years are the longest that a definition can mean seriously. */
const DURATION_SECONDS_MAX = 3660 * 86_400;
/** Each window of each aggregate is a column; these bound the columns of one view. */
const WINDOWS_MAX = 16;
const AGGREGATES_MAX = 64;
/** Objects of one kind: a file beyond it was generated and belongs in several workspaces. */
const OBJECTS_MAX = 200;
/** Parts of a key: they are encoded one after the other in a bounded store key. */
const KEYS_MAX = 4;

/** Microseconds of `90s`, `2h`, `30d`. */
export function durationMicros(text: string): number {
  return Number(text.slice(0, -1)) * SECONDS[text.slice(-1)]! * MICROS_PER_SECOND;
}

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'lowercase letters, digits and _, starting with a letter')
  .refine((name) => !name.includes('__'), 'no __ in it: that parts a view from its feature');
const ColumnName = z.string().min(1).max(255);
const Duration = z
  .string()
  .regex(/^[1-9]\d{0,8}[smhd]$/, 'a whole number and s, m, h or d, such as 2h or 30d')
  .refine((text) => durationMicros(text) <= DURATION_SECONDS_MAX * MICROS_PER_SECOND, {
    message: 'ten years at most',
  });
const TableRef = z
  .string()
  .regex(/^(?:[a-z][a-z0-9_]{0,62}\.)?[a-z][a-z0-9_]{0,62}$/, 'a table, or namespace.table');

/** Spelled as the Arrow and Feast worlds spell them. */
export const DeclaredType = z.enum([
  'string',
  'int32',
  'int64',
  'float',
  'double',
  'boolean',
  'timestamp',
]);
export type DeclaredType = z.infer<typeof DeclaredType>;

function named<Item extends z.ZodType>(item: Item) {
  return z
    .record(Name, item)
    .refine((all) => Object.keys(all).length <= OBJECTS_MAX, `at most ${OBJECTS_MAX} of them`);
}

const Source = z.strictObject({
  kind: z.literal('events', 'only sources of kind events are part of this version'),
  table: TableRef,
  id: ColumnName,
  event_time: z.strictObject({
    column: ColumnName,
    timezone: z.literal(
      'UTC',
      'timezone is UTC: tables hold instants, and naive times are made instants when loaded',
    ),
  }),
  columns: z.record(ColumnName, DeclaredType),
});

const Entity = z.strictObject({
  keys: z
    .record(ColumnName, z.enum(['string', 'int32', 'int64'], 'a key is string, int32 or int64'))
    .refine((keys) => Object.keys(keys).length >= 1, 'at least one key')
    .refine((keys) => Object.keys(keys).length <= KEYS_MAX, `at most ${KEYS_MAX} keys`),
  time_zone: z.strictObject({ table: TableRef, key: ColumnName, value: ColumnName }).optional(),
});

const Aggregate = z.strictObject({
  agg: z.enum(['count', 'sum', 'avg', 'min', 'max'], 'agg is count, sum, avg, min or max'),
  of: z.string().optional(),
});

const View = z.strictObject({
  entity: z.string(),
  source: z.string(),
  windows: z.array(Duration).min(1).max(WINDOWS_MAX),
  features: z
    .record(Name, Aggregate)
    .refine((all) => Object.keys(all).length >= 1, 'at least one feature')
    .refine(
      (all) => Object.keys(all).length <= AGGREGATES_MAX,
      `at most ${AGGREGATES_MAX} features`,
    ),
});

const Service = z.strictObject({
  /** `view.*`, `view.feature` (all its windows) or `view.feature_window`. */
  features: z.array(z.string()).max(OBJECTS_MAX * AGGREGATES_MAX),
  /** The type of an input that is a feature itself, or an expression over keys, inputs and `T`. */
  request: z.record(Name, z.string()).optional(),
});

const Label = z.strictObject({
  source: z.string(),
  match: ColumnName,
  value: ColumnName,
  mature: Duration,
});

const TrainingSet = z.strictObject({
  spine: z.strictObject({
    from: z.string(),
    range: z.strictObject({
      last: Duration,
      until: z
        .string()
        .regex(/^now(?:\s*-\s*[1-9]\d{0,8}[smhd])?$/, 'now, or now - a duration such as 12h'),
    }),
  }),
  service: z.string(),
  label: z.string(),
  require: z.literal('full_windows', 'require takes full_windows').optional(),
});

export const Definitions = z.object({
  sources: named(Source).default({}),
  entities: named(Entity).default({}),
  views: named(View).default({}),
  services: named(Service).default({}),
  labels: named(Label).default({}),
  training_sets: named(TrainingSet).default({}),
});
export type Definitions = z.infer<typeof Definitions>;

/** Parses the sections; rejects with `INVALID_CONFIG`, `details.path` naming the place. */
export function parseDefinitions(declared: Declared): Definitions {
  const sections = Object.fromEntries(
    FEATURE_SECTIONS.map((section) => [section, declared[section] ?? undefined]),
  );
  const parsed = Definitions.safeParse(sections);
  if (parsed.success) return parsed.data;
  const issue = present(parsed.error.issues[0], 'an issue');
  const inner = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  throw invalid([...issue.path, ...inner], `${issue.message}.`);
}

/** A declaration that cannot be applied; `path` leads to it in the file. */
export function invalid(path: readonly PropertyKey[], message: string, hint?: string): AppError {
  return new AppError('INVALID_CONFIG', message, {
    ...(hint === undefined ? {} : { hint }),
    details: { path: path.map((part) => (typeof part === 'symbol' ? String(part) : part)) },
  });
}

/** Unqualified names lie in the namespace `default`. */
export function tableRefOf(text: string): { readonly namespace: string; readonly name: string } {
  const [first, second] = text.split('.') as [string, string | undefined];
  return second === undefined
    ? { namespace: 'default', name: first }
    : { namespace: first, name: second };
}

/** Every table that the definitions name, once, with the place that names it first. */
export function tablesOf(
  definitions: Definitions,
): ReadonlyMap<string, { readonly path: readonly string[] }> {
  const found = new Map<string, { readonly path: readonly string[] }>();
  const add = (table: string, path: readonly string[]): void => {
    const { namespace, name } = tableRefOf(table);
    const key = `${namespace}.${name}`;
    if (!found.has(key)) found.set(key, { path });
  };
  for (const [name, { table }] of Object.entries(definitions.sources)) {
    add(table, ['sources', name, 'table']);
  }
  for (const [name, { time_zone: zone }] of Object.entries(definitions.entities)) {
    if (zone !== undefined) add(zone.table, ['entities', name, 'time_zone', 'table']);
  }
  return found;
}
