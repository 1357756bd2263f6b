import { AppError } from '../../base/errors.ts';
import { asText, interpolate } from './interpolation.ts';
import {
  readPipelineFile,
  STAGES_MAX,
  StageDefinition,
  type OutFlags,
  type RawStage,
} from './pipeline-file.ts';
import {
  DEFAULT_PARAMS_FILE,
  projectPath,
  type Output,
  type ParamsDependency,
  type Stage,
} from './stage.ts';
import { isList, isMap, YamlTime, type DvcMap, type DvcValue } from './value.ts';
import { YamlSource } from './yaml-source.ts';

/** Gives the text of a file by its path in the project; null when there is none. */
export type ReadText = (path: string) => Promise<string | null>;

type Vars = readonly (string | Readonly<Record<string, unknown>>)[];

/**
 * Every stage of a `dvc.yaml`, templates filled, `foreach` and `matrix` spelled out. Rejects with
 * `INVALID_PIPELINE` what DVC or we do not know, by name and place.
 */
export async function resolveStages(text: string, read: ReadText): Promise<readonly Stage[]> {
  const source = new YamlSource(text, 'dvc.yaml');
  const file = readPipelineFile(source);
  const defaults = await loadDefaults(read);
  const context = await withVars({ context: defaults, loaded: DEFAULT_PARAMS_FILE }, file.vars, {
    read,
    wdir: '.',
    where: 'vars',
  });
  const stages: Stage[] = [];
  for (const raw of file.stages) {
    for (const { name, definition, values } of instances(raw, context, source)) {
      const local = await withVars(
        { context: { ...context, ...values }, loaded: DEFAULT_PARAMS_FILE },
        (definition['vars'] as Vars | undefined) ?? [],
        { read, wdir: wdirOf(definition), where: `stages.${name}.vars` },
      );
      stages.push(toStage({ name, raw, definition, context: local }, source));
    }
    if (stages.length > STAGES_MAX) {
      throw source.fault(['stages', raw.name], `more than ${STAGES_MAX} stages`);
    }
  }
  return stages;
}

async function loadDefaults(read: ReadText): Promise<DvcMap> {
  const text = await read(DEFAULT_PARAMS_FILE);
  if (text === null) return {};
  const { value } = new YamlSource(text, DEFAULT_PARAMS_FILE);
  refuseTimes(value, DEFAULT_PARAMS_FILE);
  return isMap(value) ? value : {};
}

/** Adds what `vars` name: files, some keys of files, or maps. Nothing may be defined twice. */
async function withVars(
  from: { readonly context: DvcMap; readonly loaded: string },
  vars: Vars,
  place: { readonly read: ReadText; readonly wdir: string; readonly where: string },
): Promise<DvcMap> {
  let context = from.context;
  for (const item of vars) {
    if (typeof item !== 'string') {
      context = merged(context, item as DvcMap, place.where);
      continue;
    }
    const [file = '', keys = ''] = item.split(':', 2);
    const path = projectPath({ wdir: place.wdir }, file) ?? file;
    // The default file is there already, as a whole.
    if (path === from.loaded && keys === '') continue;
    const values = await loadVars(path, place);
    const wanted = keys.split(',').filter((key) => key !== '');
    const missing = wanted.find((key) => !Object.hasOwn(values, key));
    if (missing !== undefined) throw fault(place.where, `${path} has no ${missing}`);
    const chosen = wanted.length === 0 ? values : pick(values, wanted);
    context = merged(context, chosen, place.where);
  }
  return context;
}

async function loadVars(
  path: string,
  { read, where }: { readonly read: ReadText; readonly where: string },
): Promise<DvcMap> {
  refuseUnreadable(path, where);
  const text = await read(path);
  if (text === null) throw fault(where, `${path} does not exist`);
  const { value } = new YamlSource(text, path);
  if (!isMap(value)) throw fault(where, `${path} holds no map`);
  refuseTimes(value, path);
  return value;
}

/** DVC fails on every project with one. */
function refuseTimes(value: DvcValue, path: string): void {
  if (value instanceof YamlTime) {
    throw new AppError('INVALID_PIPELINE', `${path}: ${value.text} is a date without quotes.`, {
      hint: 'Put it into quotes: values that dvc.yaml can ask for are texts, numbers, lists, maps.',
    });
  }
  if (isList(value)) for (const item of value) refuseTimes(item, path);
  if (isMap(value)) for (const item of Object.values(value)) refuseTimes(item, path);
}

/** DVC reads more kinds of parameter files than we do; the others are named, not passed over. */
export function refuseUnreadable(path: string, where: string): void {
  if (!/\.(?:toml|py)$/.test(path)) return;
  throw fault(where, `${path}: parameters in TOML or Python are not supported`, {
    hint: 'Keep parameters in YAML or JSON.',
  });
}

function merged(into: DvcMap, added: DvcMap, where: string): DvcMap {
  const result: Record<string, DvcValue> = { ...into };
  for (const [key, value] of Object.entries(added)) {
    const present = result[key];
    if (present === undefined) result[key] = value;
    else if (isMap(present) && isMap(value)) result[key] = merged(present, value, where);
    else throw fault(where, `${key} is defined already`);
  }
  return result;
}

function pick(map: DvcMap, keys: readonly string[]): DvcMap {
  return Object.fromEntries(keys.map((key) => [key, map[key] ?? null]));
}

interface Instance {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** `item` and `key`, inside foreach and matrix. */
  readonly values: DvcMap;
}

function instances(raw: RawStage, context: DvcMap, source: YamlSource): readonly Instance[] {
  if (raw.kind === 'one') return [{ name: raw.name, definition: raw.raw, values: {} }];
  const entries =
    raw.kind === 'foreach'
      ? foreachEntries(raw, context, source)
      : matrixEntries(raw, context, source);
  const { matrix: _, ...template } = raw.raw;
  const definition = (raw.kind === 'foreach' ? raw.raw['do'] : template) as Instance['definition'];
  return entries.map(({ key, value, values }) => ({
    name: `${raw.name}@${key}`,
    definition,
    values: { ...values, item: value },
  }));
}

interface Entry {
  readonly key: string;
  readonly value: DvcValue;
  readonly values: DvcMap;
}

function foreachEntries(raw: RawStage, context: DvcMap, source: YamlSource): readonly Entry[] {
  const where = `stages.${raw.name}.foreach`;
  const data = interpolate(raw.raw['foreach'], context, where) as DvcValue;
  if (isMap(data)) {
    return Object.entries(data).map(([key, value]) => ({ key, value, values: { key } }));
  }
  if (!isList(data)) {
    throw source.fault(['stages', raw.name, 'foreach'], 'must be a list or a map');
  }
  const isComposite = data.some((item) => isMap(item) || isList(item));
  return data.map((value, index) => ({
    key: isComposite ? String(index) : asText(value),
    value,
    values: {},
  }));
}

/** Every combination; a scalar names its stage by value, anything else by name and index. */
function matrixEntries(raw: RawStage, context: DvcMap, source: YamlSource): readonly Entry[] {
  const where = `stages.${raw.name}.matrix`;
  const data = interpolate(raw.raw['matrix'], context, where) as DvcMap;
  let combinations: readonly { readonly parts: readonly string[]; readonly item: DvcMap }[] = [
    { parts: [], item: {} },
  ];
  for (const [name, list] of Object.entries(data)) {
    if (!isList(list)) throw source.fault(['stages', raw.name, 'matrix', name], 'must be a list');
    combinations = combinations.flatMap(({ parts, item }) =>
      list.map((value, index) => ({
        parts: [...parts, isMap(value) || isList(value) ? `${name}${index}` : asText(value)],
        item: { ...item, [name]: value },
      })),
    );
    if (combinations.length > STAGES_MAX) {
      throw source.fault(['stages', raw.name, 'matrix'], `more than ${STAGES_MAX} stages`);
    }
  }
  return combinations.map(({ parts, item }) => {
    const key = parts.join('-');
    return { key, value: item, values: { key } };
  });
}

function wdirOf(definition: Readonly<Record<string, unknown>>): string {
  return typeof definition['wdir'] === 'string' ? definition['wdir'] : '.';
}

function toStage(
  from: {
    readonly name: string;
    readonly raw: RawStage;
    readonly definition: Readonly<Record<string, unknown>>;
    readonly context: DvcMap;
  },
  source: YamlSource,
): Stage {
  const { name, raw, context } = from;
  const { vars: _, meta: __, ...definition } = from.definition;
  const filled = Object.fromEntries(
    Object.entries(definition).map(([key, value]) => [
      key,
      interpolate(value, context, `stages.${name}.${key}`),
    ]),
  );
  const inFile = ['stages', raw.name, ...(raw.kind === 'foreach' ? ['do'] : [])];
  const stage = source.parse(StageDefinition, inFile, filled as never);
  return {
    name,
    cmd: stage.cmd,
    wdir: stage.wdir ?? '.',
    deps: stage.deps ?? [],
    params: paramsOf(stage),
    outs: outputsOf(stage),
    isFrozen: stage.frozen === true,
    isAlwaysChanged: stage.always_changed === true,
    description: stage.desc ?? '',
  };
}

function paramsOf(stage: StageDefinition): readonly ParamsDependency[] {
  const files = new Map<string, Set<string> | null>();
  const add = (file: string, keys: readonly string[] | null): void => {
    const present = files.get(file);
    if (keys === null || keys.length === 0) files.set(file, null);
    else if (present !== null) files.set(file, new Set([...(present ?? []), ...keys]));
  };
  for (const item of stage.params ?? []) {
    if (typeof item === 'string') add(DEFAULT_PARAMS_FILE, [item]);
    else for (const [file, keys] of Object.entries(item)) add(file, keys);
  }
  return [...files].map(([file, keys]) => ({ file, keys: keys === null ? null : [...keys] }));
}

function outputsOf(stage: StageDefinition): readonly Output[] {
  const all = [...(stage.outs ?? []), ...(stage.metrics ?? []), ...(stage.plots ?? [])];
  return all.flatMap((item): Output[] => {
    if (typeof item === 'string') return [{ path: item, isCached: true, isPersistent: false }];
    return Object.entries(item).map(([path, flags]) => {
      const list: readonly OutFlags[] = Array.isArray(flags) ? flags : [flags];
      return {
        path,
        isCached: list.every(({ cache }) => cache !== false),
        isPersistent: list.some(({ persist }) => persist === true),
      };
    });
  });
}

function fault(where: string, message: string, options: { readonly hint?: string } = {}): AppError {
  return new AppError('INVALID_PIPELINE', `dvc.yaml: ${where}: ${message}`, {
    hint: options.hint ?? 'Mend dvc.yaml, or the file it names; nothing was run.',
  });
}
