import { existsSync, readdirSync, readFileSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { toAppError } from '../../base/errors.ts';
import { resolveStages } from '../../formats/dvc/resolve-stages.ts';

/** What a folder has already that Millwright works with. Paths are relative to it. */
export interface FoundProject {
  readonly hasGit: boolean;
  /** Runs that MLflow's own client has left in files; null without such a folder. */
  readonly mlflowRuns: number | null;
  /** MLflow's SQLite files. */
  readonly mlflowDatabases: readonly string[];
  readonly hasDvc: boolean;
  /** Stages of `dvc.yaml`; null without one. */
  readonly stages: readonly string[] | null;
  /** Why `dvc.yaml` cannot be read. */
  readonly stagesError: string | null;
  /** A requirements file whose every package has a hash: an environment can be built from it. */
  readonly lock: string | null;
  /** Other files that name what Python packages are needed. */
  readonly requirements: readonly string[];
  readonly notebooks: readonly string[];
  /** Python files that import MLflow. */
  readonly trackedScripts: readonly string[];
  /** True when a name was left out because there are too many files. */
  readonly isCut: boolean;
}

/** Looked at before it is given up to know all: a project with more has its data in between. */
const ENTRIES_MAX = 20_000;
const DEPTH_MAX = 5;
const SCRIPT_BYTES_MAX = 1024 * 1024;
const NOT_OURS = new Set(['node_modules', 'venv', 'env', '__pycache__', 'mlruns', 'site-packages']);
const NEEDS = /^(?:requirements.*\.(?:txt|in|lock)|pyproject\.toml|environment\.ya?ml)$/;
const LOCKS = /^(?:uv|poetry|pdm|pixi|conda)[\w-]*\.lock$|^Pipfile(?:\.lock)?$/;

/** Looks, and changes nothing. */
export async function findProject(folder: string): Promise<FoundProject> {
  const { files, isCut } = listFiles(folder);
  const top = files.filter((file) => !file.includes('/'));
  const lock = top.find(
    (file) => file.startsWith('requirements') && isLocked(path.join(folder, file)),
  );
  return {
    hasGit: hasAbove(folder, '.git'),
    mlflowRuns: countRuns(path.join(folder, 'mlruns')),
    mlflowDatabases: top.filter((file) => /^mlflow\.(?:db|sqlite3?)$/.test(file)),
    hasDvc: hasAbove(folder, '.dvc'),
    ...(await readStages(folder)),
    lock: lock ?? null,
    requirements: top.filter((file) => file !== lock && (NEEDS.test(file) || LOCKS.test(file))),
    notebooks: files.filter((file) => file.endsWith('.ipynb')),
    trackedScripts: files.filter(
      (file) => file.endsWith('.py') && importsMlflow(path.join(folder, file)),
    ),
    isCut,
  };
}

function listFiles(folder: string): { readonly files: readonly string[]; readonly isCut: boolean } {
  const files: string[] = [];
  const waiting: { readonly at: string; readonly depth: number }[] = [{ at: '', depth: 0 }];
  let seen = 0;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const entry of entriesOf(path.join(folder, next.at))) {
      seen += 1;
      if (seen > ENTRIES_MAX) return { files: files.toSorted(), isCut: true };
      const name = path.posix.join(next.at, entry.name);
      if (entry.isFile()) files.push(name);
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      if (NOT_OURS.has(entry.name) || next.depth === DEPTH_MAX) continue;
      waiting.push({ at: name, depth: next.depth + 1 });
    }
  }
  return { files: files.toSorted(), isCut: false };
}

/** A folder that may not be read has nothing to find. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function hasAbove(folder: string, name: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (existsSync(path.join(at, name))) return true;
    if (at === path.dirname(at)) return false;
  }
}

/** `mlruns/<experiment>/<run>/meta.yaml`, as MLflow's file store has them. */
function countRuns(mlruns: string): number | null {
  if (!existsSync(mlruns)) return null;
  const runs = entriesOf(mlruns)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => entriesOf(path.join(mlruns, name)).map((run) => [name, run.name]));
  return runs.filter(([experiment, run]) =>
    existsSync(path.join(mlruns, experiment!, run!, 'meta.yaml')),
  ).length;
}

async function readStages(folder: string): Promise<Pick<FoundProject, 'stages' | 'stagesError'>> {
  const file = path.join(folder, 'dvc.yaml');
  if (!existsSync(file)) return { stages: null, stagesError: null };
  const read = (name: string): Promise<string | null> => {
    const wanted = path.join(folder, name);
    return Promise.resolve(existsSync(wanted) ? readFileSync(wanted, 'utf8') : null);
  };
  try {
    const stages = await resolveStages(readFileSync(file, 'utf8'), read);
    return { stages: stages.map(({ name }) => name), stagesError: null };
  } catch (thrown) {
    return { stages: [], stagesError: toAppError(thrown).message };
  }
}

/** As pip's hash-checking mode wants it: each requirement pinned, each with a hash. */
function isLocked(file: string): boolean {
  const text = readFileSync(file, 'utf8').replaceAll(/\\\r?\n/g, ' ');
  const wanted = text.split('\n').filter((line) => /^[A-Za-z0-9]/.test(line));
  return wanted.length > 0 && wanted.every((line) => /==.*--hash=sha256:/.test(line));
}

function importsMlflow(file: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length <= SCRIPT_BYTES_MAX && /^\s*(?:import|from) mlflow\b/m.test(text);
  } catch {
    return false;
  }
}
