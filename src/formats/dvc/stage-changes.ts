import type { LockedPath, LockEntry } from './lock-file.ts';
import { DEFAULT_PARAMS_FILE, type ParamsDependency, type Stage } from './stage.ts';
import { isEqual, shownValue, type DvcMap } from './value.ts';

/** What a stage would be run with now; a path that does not exist is missing from the list. */
export interface StageInputs {
  readonly deps: readonly LockedPath[];
  readonly params: Readonly<Record<string, DvcMap>>;
}

/** Why the lock entry no longer tells of these inputs; empty when it does. For people. */
export function inputChanges(
  stage: Stage,
  entry: LockEntry,
  inputs: StageInputs,
): readonly string[] {
  const reasons: string[] = [];
  if (!isEqual(entry.cmd, stage.cmd)) reasons.push('cmd changed');
  for (const path of stage.deps) {
    const before = entry.deps.find((dep) => dep.path === path);
    const now = inputs.deps.find((dep) => dep.path === path);
    if (now === undefined) reasons.push(`dep ${path} is missing`);
    else if (before === undefined) reasons.push(`dep ${path} is new`);
    else if (before.md5 !== now.md5) reasons.push(`dep ${path} changed`);
  }
  for (const params of stage.params) {
    const [before, now] = [entry.params[params.file] ?? {}, inputs.params[params.file] ?? {}];
    reasons.push(...paramChanges(params, before, now));
  }
  // A dependency or parameter that dvc.yaml no longer names changes nothing, as in DVC.
  return reasons;
}

function paramChanges(
  { file, keys }: ParamsDependency,
  before: DvcMap,
  now: DvcMap,
): readonly string[] {
  const names = keys ?? [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return names.flatMap((key): string[] => {
    const [was, is] = [before[key], now[key]];
    const name = file === DEFAULT_PARAMS_FILE ? `params.${key}` : `${file}:${key}`;
    if (is === undefined) return [`${name} is missing`];
    if (was === undefined) return [`${name} is new`];
    if (isEqual(was, is)) return [];
    return [`${name} changed ${shownValue(was)} -> ${shownValue(is)}`];
  });
}

/** How an output compares with its lock entry; `now` is null when it does not exist. */
export function outputChange(
  path: string,
  entry: LockEntry,
  now: LockedPath | null,
): 'same' | 'new' | 'missing' | 'changed' {
  const before = entry.outs.find((out) => out.path === path);
  if (before === undefined) return 'new';
  if (now === null) return 'missing';
  return before.md5 === now.md5 ? 'same' : 'changed';
}
