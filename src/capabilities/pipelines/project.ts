import { existsSync } from 'node:fs';
import { readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { directoryObject, type DirectoryEntry } from '../../formats/dvc/directory-object.ts';
import type { LockedPath } from '../../formats/dvc/lock-file.ts';
import { outputFault, projectPath, type Stage } from '../../formats/dvc/stage.ts';
import { DvcIgnore } from './dvc-ignore.ts';
import type { FileHash, FileHashes } from './file-hashes.ts';

/** A file of an output or dependency; `relpath` is empty for the path itself. */
export interface HashedFile extends FileHash {
  readonly relpath: string;
}

/** What lies at a path: one file, or a folder with its files. */
export interface HashedPath {
  readonly locked: LockedPath;
  readonly files: readonly HashedFile[];
  /** Text of a folder's cache object; null for a file. */
  readonly directory: string | null;
}

const FOLDERS_DEEP_MAX = 100;
/** Files read at once: enough to hide the disk's latency, few enough to keep open. */
const READERS = 8;

/** A project's folder: the one with `dvc.yaml`. Paths given are relative to a stage's folder. */
export class Project {
  readonly root: string;
  /** The folder with `.dvc`, this one or above; null where DVC was never initialised. */
  readonly dvcFolder: string | null;
  /** Paths in it that no stage may write to, beside those of every project. */
  readonly kept: readonly string[];
  readonly #hashes: FileHashes;
  readonly #ignore: DvcIgnore;
  readonly #ignoreRoot: string;

  private constructor(root: string, stateFolder: string, hashes: FileHashes) {
    this.root = root;
    const state = this.#inside(stateFolder);
    this.kept = state === null || state === '' ? [] : [state];
    this.#hashes = hashes;
    const dvcRoot = findAbove(root, '.dvc');
    this.dvcFolder = dvcRoot === null ? null : path.join(dvcRoot, '.dvc');
    this.#ignoreRoot = dvcRoot ?? root;
    this.#ignore = new DvcIgnore(this.#ignoreRoot);
  }

  /** Rejects with `INVALID_PIPELINE` unless the folder exists and has a `dvc.yaml`. */
  static async open(
    folder: string,
    { stateFolder, hashes }: { readonly stateFolder: string; readonly hashes: FileHashes },
  ): Promise<Project> {
    const root = await realpath(folder).catch(() => null);
    if (root === null) {
      throw new AppError('INVALID_PIPELINE', `The folder ${folder} does not exist here.`, {
        hint: 'Name a folder on the machine that runs Millwright.',
      });
    }
    return new Project(root, await realpath(stateFolder), hashes);
  }

  /** Text of a file by its path from the project's folder; null when there is none. */
  async readText(file: string): Promise<string | null> {
    try {
      return await readFile(path.join(this.root, file), 'utf8');
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw thrown;
    }
  }

  async readPipeline(): Promise<string> {
    const text = await this.readText('dvc.yaml');
    if (text !== null) return text;
    throw new AppError('INVALID_PIPELINE', `${this.root} has no dvc.yaml.`, {
      hint: 'Run in a folder with a dvc.yaml, or write one: its stages are what runs.',
    });
  }

  /** The absolute path of what a stage names. */
  locate(stage: Pick<Stage, 'wdir'>, file: string): string {
    const inside = projectPath(stage, file);
    if (inside !== null) return path.join(this.root, inside);
    throw new AppError('INVALID_PIPELINE', `${file} lies outside the project ${this.root}.`);
  }

  /** Hashes what lies at the path; null when nothing does. */
  async hash(stage: Stage, file: string, signal: AbortSignal): Promise<HashedPath | null> {
    const absolute = this.locate(stage, file);
    const found = await stat(absolute).catch(() => null);
    if (found === null) return null;
    if (!found.isDirectory()) {
      const hashed = await this.#hashes.hash(absolute, signal);
      const { md5, size, isExecutable } = hashed;
      const locked = { path: file, md5, size, ...(isExecutable ? { isexec: true } : {}) };
      return { locked, files: [{ ...hashed, relpath: '' }], directory: null };
    }
    const relpaths = await this.#walk(absolute);
    const files = await inParallel(relpaths, async (relpath) => ({
      ...(await this.#hashes.hash(path.join(absolute, relpath), signal)),
      relpath,
    }));
    const { oid, text } = directoryObject(files satisfies readonly DirectoryEntry[]);
    const size = files.reduce((sum, it) => sum + it.size, 0);
    return { locked: { path: file, md5: oid, size, nfiles: files.length }, files, directory: text };
  }

  /** Files below a folder, what `.dvcignore` names left out. */
  async #walk(folder: string): Promise<readonly string[]> {
    const found: string[] = [];
    const visit = async (at: string, depth: number): Promise<void> => {
      if (depth > FOLDERS_DEEP_MAX) {
        throw new AppError('INVALID_PIPELINE', `${folder} is deeper than ${FOLDERS_DEEP_MAX}.`, {
          hint: 'Does a link in it lead back to a folder above?',
        });
      }
      for (const entry of await readdir(path.join(folder, at), { withFileTypes: true })) {
        const relpath = at === '' ? entry.name : `${at}/${entry.name}`;
        const absolute = path.join(folder, relpath);
        const isLink = entry.isSymbolicLink();
        const isFolder = isLink ? (await stat(absolute)).isDirectory() : entry.isDirectory();
        const fromRoot = path.relative(this.#ignoreRoot, absolute).split(path.sep).join('/');
        if (this.#ignore.ignores(fromRoot, isFolder)) continue;
        if (isFolder) await visit(relpath, depth + 1);
        else found.push(relpath);
      }
    };
    await visit('', 0);
    return found;
  }

  /**
   * Removes what the stage writes anew, as DVC does before it runs one; nothing when one of its
   * outputs is what the project is made of. Rejects with `INVALID_PIPELINE` when a link leads
   * there.
   */
  async clearOutputs(stage: Stage): Promise<void> {
    const outs = stage.outs.map((out) => ({ ...out, absolute: this.locate(stage, out.path) }));
    for (const { path: out, absolute } of outs) {
      const why = outputFault(this.#inside(absolute) ?? '', this.kept);
      assert(why === null, `the output ${out} is cleared, but ${why}`);
      const real = this.#inside(await realPlace(absolute));
      const behind = real === null ? null : outputFault(real, this.kept);
      if (behind === null) continue;
      throw new AppError('INVALID_PIPELINE', `The output ${out} is behind a link: ${behind}.`, {
        hint: 'Give the stage an output of its own; nothing was run or removed.',
      });
    }
    for (const { absolute, isPersistent } of outs) {
      if (!isPersistent) await rm(absolute, { recursive: true, force: true });
    }
  }

  /** The project path; empty for what holds the project, null for what lies elsewhere. */
  #inside(absolute: string): string | null {
    const relative = path.relative(this.root, absolute).split(path.sep);
    if (relative.every((part) => part === '..' || part === '')) return '';
    return relative[0] === '..' ? null : relative.join('/');
  }
}

/** Where a path lies once links on the way are followed, but not one that it is itself. */
async function realPlace(absolute: string): Promise<string> {
  const folder = path.dirname(absolute);
  const real = await realpath(folder).catch(() => null);
  const place = real ?? (folder === absolute ? folder : await realPlace(folder));
  return path.join(place, path.basename(absolute));
}

/** The folder itself or the nearest above that holds the name; null for none. */
export function findAbove(folder: string, name: string): string | null {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, name))) return at;
    if (path.dirname(at) === at) return null;
  }
}

async function inParallel<In, Out>(
  items: readonly In[],
  action: (item: In) => Promise<Out>,
): Promise<readonly Out[]> {
  const results: Out[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await action(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: READERS }, work));
  return results;
}
