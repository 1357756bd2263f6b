import { durationMicros, tableRefOf } from './definitions.ts';
import type { FeaturesStore } from './store.ts';

/** A declared label with the source it is read from, as a reader of the table needs it. */
export interface LabelSourceDefinition {
  readonly name: string;
  /** The business key that its events carry as their id. */
  readonly match: string;
  readonly table: { readonly namespace: string; readonly name: string };
  readonly idColumn: string;
  readonly timeColumn: string;
  readonly valueColumn: string;
  readonly matureMicros: number;
}

/** Definitions of one kind in force, as the sections allow. */
const DEFINITIONS_MAX = 2000;

interface DeclaredLabel {
  readonly source: string;
  readonly match: string;
  readonly value: string;
  readonly mature: string;
}

interface DeclaredSource {
  readonly table: string;
  readonly id: string;
  readonly event_time: { readonly column: string };
}

/** Every label in force whose events are identified by what it matches by. */
export async function labelSources(
  store: FeaturesStore,
): Promise<readonly LabelSourceDefinition[]> {
  const all = { after: null, limit: DEFINITIONS_MAX };
  const labels = await store.list('label', all);
  if (labels.length === 0) return [];
  const sources = new Map<string, DeclaredSource>();
  for (const { name, body } of await store.list('source', all)) {
    sources.set(name, body.declared as unknown as DeclaredSource);
  }
  return labels.flatMap(({ name, body }) => {
    const { source: from, match, value, mature } = body.declared as unknown as DeclaredLabel;
    const source = sources.get(from);
    if (source === undefined || source.id !== match) return [];
    return {
      name,
      match,
      table: tableRefOf(source.table),
      idColumn: source.id,
      timeColumn: source.event_time.column,
      valueColumn: value,
      matureMicros: durationMicros(mature),
    };
  });
}
