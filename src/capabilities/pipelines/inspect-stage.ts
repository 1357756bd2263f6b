import { AppError } from '../../base/errors.ts';
import {
  entryHash,
  readParams,
  selectParams,
  type LockedPath,
  type LockEntry,
} from '../../formats/dvc/lock-file.ts';
import { refuseUnreadable } from '../../formats/dvc/resolve-stages.ts';
import { inputChanges, outputChange, type StageInputs } from '../../formats/dvc/stage-changes.ts';
import { projectPath, type Output, type Stage } from '../../formats/dvc/stage.ts';
import type { DvcMap } from '../../formats/dvc/value.ts';
import type { ObjectCache } from './object-cache.ts';
import type { HashedPath, Project } from './project.ts';

/** What we know of the last run of a stage that DVC's lock file does not tell. */
export interface FormerRun {
  /** Of the lock entry it wrote; another one there now means somebody else ran it since. */
  readonly lockHash: string;
  /** SHA-256 of the environment's lock, null for none. */
  readonly environment: string | null;
}

export interface InspectOptions {
  readonly project: Project;
  readonly cache: ObjectCache;
  readonly entry: LockEntry | null;
  readonly former: FormerRun | null;
  readonly environment: string | null;
  readonly isForced: boolean;
  readonly signal: AbortSignal;
}

export interface Inspection {
  /** `restore`: nothing changed, but outputs are gone that the cache still has. */
  readonly action: 'cached' | 'restore' | 'run' | 'frozen';
  /** Why it runs; what is the same when it does not. For people. */
  readonly reasons: readonly string[];
  readonly inputs: StageInputs;
  /** Outputs that are as they should be but not in the cache yet. */
  readonly uncached: readonly { readonly output: Output; readonly hashed: HashedPath }[];
  readonly restorable: readonly LockedPath[];
  readonly missingParams: readonly string[];
}

/** What is the same when a stage is not run again. */
const SAME = 'same code, data, params, environment';

/** Whether a stage has to run, and why, without changing anything. */
export async function inspectStage(stage: Stage, options: InspectOptions): Promise<Inspection> {
  const { entry, isForced } = options;
  const { inputs, missingParams } = await readInputs(stage, options);
  const outputs = await readOutputs(stage, options);
  const found = { inputs, missingParams, ...outputs };
  if (stage.isFrozen) return frozen(stage, found, outputs.broken);
  const reasons = [
    ...(isForced ? ['--force'] : []),
    ...inputReasons(stage, inputs, options),
    ...(entry === null ? [] : outputs.broken),
  ];
  if (reasons.length > 0) return { action: 'run', reasons, ...found };
  const isWhole = outputs.restorable.length === 0;
  return { action: isWhole ? 'cached' : 'restore', reasons: [SAME], ...found };
}

function inputReasons(
  stage: Stage,
  inputs: StageInputs,
  { entry, former, environment }: InspectOptions,
): readonly string[] {
  if (stage.isAlwaysChanged) return ['always_changed'];
  if (stage.deps.length + stage.params.length + stage.outs.length === 0) {
    return ['it names no deps, params or outs'];
  }
  if (entry === null) return ['no lock entry'];
  const isOurs = former !== null && former.lockHash === entryHash(entry);
  const isElsewhere = isOurs && former.environment !== environment;
  return [...inputChanges(stage, entry, inputs), ...(isElsewhere ? ['environment changed'] : [])];
}

type Found = Omit<Inspection, 'action' | 'reasons'>;

function frozen(stage: Stage, found: Found, broken: readonly string[]): Inspection {
  const [lacking] = broken;
  if (lacking === undefined) {
    const action = found.restorable.length === 0 ? 'frozen' : 'restore';
    return { action, reasons: ['frozen'], ...found };
  }
  throw new AppError('INVALID_PIPELINE', `The stage ${stage.name} is frozen, but ${lacking}.`, {
    hint: 'Take `frozen` out of dvc.yaml to run it, or get the output with: dvc pull',
  });
}

async function readInputs(
  stage: Stage,
  { project, signal }: InspectOptions,
): Promise<{ readonly inputs: StageInputs; readonly missingParams: readonly string[] }> {
  const deps: LockedPath[] = [];
  for (const dep of stage.deps) {
    const hashed = await project.hash(stage, dep, signal);
    if (hashed !== null) deps.push(hashed.locked);
  }
  const params: Record<string, DvcMap> = {};
  const missingParams: string[] = [];
  for (const { file, keys } of stage.params) {
    refuseUnreadable(file, `stages.${stage.name}.params`);
    const text = await project.readText(projectPath(stage, file) ?? file);
    if (text === null) {
      missingParams.push(`${file} does not exist`);
      continue;
    }
    const { values, missing } = selectParams(readParams(text, file), keys);
    params[file] = values;
    missingParams.push(...missing.map((key) => `${file} has no ${key}`));
  }
  return { inputs: { deps, params }, missingParams };
}

/**
 * `broken` is what only a run can mend. What is there but differs may be somebody's work: it is not
 * restored over, and that of a frozen stage is left alone.
 */
async function readOutputs(
  stage: Stage,
  { project, cache, entry, signal }: InspectOptions,
): Promise<Pick<Inspection, 'uncached' | 'restorable'> & { readonly broken: readonly string[] }> {
  const uncached: Inspection['uncached'][number][] = [];
  const restorable: LockedPath[] = [];
  const broken: string[] = [];
  for (const output of stage.outs) {
    const hashed = await project.hash(stage, output.path, signal);
    if (entry === null) {
      if (hashed === null) broken.push(`output ${output.path} is missing`);
      continue;
    }
    const change = outputChange(output.path, entry, hashed?.locked ?? null);
    const locked = entry.outs.find(({ path }) => path === output.path);
    if (change === 'same' && hashed !== null) {
      const isLacking = output.isCached && !(await cache.has(hashed.locked));
      if (isLacking) uncached.push({ output, hashed });
    } else if (hashed !== null && stage.isFrozen) {
      continue;
    } else {
      const isHere = locked !== undefined && output.isCached && (await cache.has(locked));
      if (isHere && hashed === null) restorable.push(locked);
      else broken.push(`output ${output.path} is ${change}`);
    }
  }
  return { uncached, restorable, broken };
}
