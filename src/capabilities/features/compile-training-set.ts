import type { CompiledLabel, CompiledService, CompiledTrainingSet } from './compiled.ts';
import { hashOf } from './definition-hash.ts';
import { parseAt, reference } from './definition-place.ts';
import { durationMicros, invalid, type Definitions } from './definitions.ts';
import { suggestion, type ResolvedSource } from './resolve-source.ts';

export interface TrainingSetContext {
  readonly sources: ReadonlyMap<string, ResolvedSource>;
  readonly services: ReadonlyMap<string, CompiledService>;
}

export function compileTrainingSet(
  definitions: Definitions,
  name: string,
  { sources, services }: TrainingSetContext,
): CompiledTrainingSet {
  const declared = definitions.training_sets[name]!;
  const path = ['training_sets', name];
  const { from, range } = declared.spine;
  const spine = reference(sources, from, [...path, 'spine', 'from'], 'source');
  const service = reference(services, declared.service, [...path, 'service'], 'service');
  for (const input of service.inputs) {
    if (spine.columns[input.name] === input.type) continue;
    const wrong = `Source ${from} has no ${input.type} column ${input.name}`;
    const known = Object.keys(spine.columns);
    const hint = suggestion(input.name, known, `Declare it among the columns of ${from}.`);
    const message = `${wrong}, an input of service ${declared.service}.`;
    throw invalid([...path, 'spine', 'from'], message, hint);
  }
  const [, before] = range.until.split('-') as [string, string | undefined];
  const set = {
    service: service.name,
    serviceHash: service.hash,
    spine: spine.source,
    idType: spine.idType,
    last: durationMicros(range.last),
    untilBeforeNow: before === undefined ? 0 : durationMicros(before.trim()),
    label: compileLabel(definitions, { name: declared.label, path, spine, sources }),
    requiresFullWindows: declared.require === 'full_windows',
  };
  return { name, hash: hashOf(set), ...set };
}

function compileLabel(
  definitions: Definitions,
  wanted: {
    readonly name: string;
    readonly path: readonly string[];
    readonly spine: ResolvedSource;
    readonly sources: ReadonlyMap<string, ResolvedSource>;
  },
): CompiledLabel {
  const labels = new Map(Object.entries(definitions.labels));
  const declared = reference(labels, wanted.name, [...wanted.path, 'label'], 'label');
  const path = ['labels', wanted.name];
  const resolved = reference(wanted.sources, declared.source, [...path, 'source'], 'source');
  const { match, value } = declared;
  if (match !== resolved.source.idColumn) {
    const wrong = `Label ${wanted.name} matches by ${match}, which is not the id of its source.`;
    throw invalid([...path, 'match'], wrong, `Match by ${resolved.source.idColumn}.`);
  }
  if (wanted.spine.columns[match] !== resolved.idType) {
    const wrong = `Source ${wanted.spine.source.name} has no ${resolved.idType} column ${match}`;
    throw invalid([...path, 'match'], `${wrong}, which label ${wanted.name} matches by.`);
  }
  const at = [...path, 'value'];
  const type = resolved.columns[value];
  if (type === 'string' || type === 'timestamp') {
    throw invalid(at, `Label ${wanted.name} is a ${type}: a label is a number or a boolean.`);
  }
  const text = `"${value.replaceAll('"', '""')}"`;
  const of = parseAt(text, { columns: resolved.columns, zoned: {} }, at);
  const mature = durationMicros(declared.mature);
  return { name: wanted.name, source: resolved.source, match, of, mature };
}
