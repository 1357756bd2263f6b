/** Parameters of one file that a stage depends on; `keys` null is the whole file. */
export interface ParamsDependency {
  readonly file: string;
  readonly keys: readonly string[] | null;
}

export interface Output {
  /** As written, relative to the stage's working directory. */
  readonly path: string;
  /** Kept in DVC's cache; otherwise only its hash is. */
  readonly isCached: boolean;
  /** Not removed before the stage runs. */
  readonly isPersistent: boolean;
}

/** A stage of `dvc.yaml` with everything filled in. Paths have `/` between their parts. */
export interface Stage {
  readonly name: string;
  /** As the lock file has it: one text, or a list. */
  readonly cmd: string | readonly string[];
  /** Relative to the folder of `dvc.yaml`; `.` for that folder. */
  readonly wdir: string;
  readonly deps: readonly string[];
  readonly params: readonly ParamsDependency[];
  readonly outs: readonly Output[];
  readonly isFrozen: boolean;
  readonly isAlwaysChanged: boolean;
  readonly description: string;
}

export const DEFAULT_PARAMS_FILE = 'params.yaml';

/** The commands of a stage in order; DVC runs each line of a text by itself. */
export function commandsOf({ cmd }: Pick<Stage, 'cmd'>): readonly string[] {
  return typeof cmd === 'string'
    ? cmd.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '')
    : cmd;
}

/**
 * A path of the stage relative to the project's folder, without `.` and `..` inside; null when it
 * leads out of it.
 */
export function projectPath(stage: Pick<Stage, 'wdir'>, path: string): string | null {
  const parts: string[] = [];
  for (const part of `${stage.wdir}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join('/');
}

/** Whether one of two project paths is the other or lies inside it. */
export function overlap(a: string, b: string): boolean {
  return a === b || a === '' || b === '' || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** What a project itself is made of; an output there would be removed before its stage runs. */
const KEPT_PATHS = ['.git', '.dvc', 'dvc.yaml', 'dvc.lock', 'millwright.yaml'];

/** Why a project path is no place for an output, null when it is; `kept` adds to what is kept. */
export function outputFault(path: string, kept: readonly string[] = []): string | null {
  if (path === '') return 'it is the project itself';
  const met = [...KEPT_PATHS, ...kept].find((it) => overlap(path, it));
  return met === undefined ? null : `it overlaps ${met}`;
}
