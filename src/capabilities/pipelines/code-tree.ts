import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { byCodePoint } from '../../formats/dvc/directory-object.ts';
import type { LockedPath } from '../../formats/dvc/lock-file.ts';
import type { Env } from '../../platform/system.ts';
import { findAbove } from './project.ts';

/** Untracked files past this are data that nobody has ignored yet; they are named, not kept. */
export const UNTRACKED_BYTES_MAX = 32 * 1024 * 1024;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const GIT_MS_MAX = 60_000;

/** Which code a stage runs with. */
export interface CodeVersion {
  /** Git's tree id of the work tree with all that is not committed, or `sha256:...` without git. */
  readonly tree: string;
  readonly commit: string | null;
  /** Untracked files too large to be in the tree. */
  readonly leftOut: readonly string[];
}

export interface CodeTreeOptions {
  readonly root: string;
  /** Paths that are made by stages or by us: never code. Absolute. */
  readonly exclude: readonly string[];
  readonly temporaryFolder: string;
  readonly env: Env;
}

/**
 * Makes a tree object of everything in the work tree with an index of its own, so that nothing of
 * the user's changes, and names it by a private ref, so that it is not collected. Null without git.
 */
export async function gitCodeTree(options: CodeTreeOptions): Promise<CodeVersion | null> {
  const { root, exclude, temporaryFolder, env } = options;
  if (!isInGit(root, env)) return null;
  const top = await git(root, env, ['rev-parse', '--show-toplevel', '--git-path', 'index']);
  const [topLevel, index] = top?.trim().split('\n') ?? [];
  if (topLevel === undefined || index === undefined) return null;
  const folder = await mkdtemp(path.join(temporaryFolder, 'index-'));
  try {
    const own = path.join(folder, 'index');
    await copyIndex(path.resolve(root, index), own);
    const leftOut = await largeUntracked(topLevel, env);
    const excluded = [...exclude.map((it) => path.relative(topLevel, it)), ...leftOut].filter(
      (it) => it !== '' && !it.startsWith('..'),
    );
    // `git add` refuses to be told to leave out what it leaves out anyway.
    const ignored = await ignoredOf(topLevel, env, { paths: excluded, evenTracked: false });
    const specs = excluded.filter((it) => !ignored.has(it)).map((it) => `:(exclude,literal)${it}`);
    const withIndex = { ...env, GIT_INDEX_FILE: own };
    const added = await git(topLevel, withIndex, ['add', '--all', '--', '.', ...specs]);
    const tree = added === null ? null : await git(topLevel, withIndex, ['write-tree']);
    if (tree === null) return null;
    const id = tree.trim();
    const [head] = await Promise.all([
      git(topLevel, env, ['rev-parse', '--verify', '--quiet', 'HEAD']),
      git(topLevel, env, ['update-ref', `refs/millwright/trees/${id}`, id]),
    ]);
    return { tree: id, commit: head === null ? null : head.trim(), leftOut };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Starting from the user's index, git needs to read only what changed since. The copy keeps the
 * time of the original: git reads a file again whose entry is not older than the index, and would
 * take one edited in the second of the last `git add`, to the same length, for unchanged.
 */
async function copyIndex(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => null);
  if (found === null) return;
  await copyFile(from, to);
  await utimes(to, found.atime, found.mtime);
}

/** Without git: a hash over the dependencies that no stage makes. */
export function listedCodeTree(deps: readonly LockedPath[]): CodeVersion {
  const lines = deps
    .toSorted((a, b) => byCodePoint(a.path, b.path))
    .map(({ path: file, md5 }) => `${md5} ${file}\n`);
  const digest = createHash('sha256').update(lines.join('')).digest('hex');
  return { tree: `sha256:${digest}`, commit: null, leftOut: [] };
}

/** Those of the files that git would add: neither ignored nor tracked. None without git. */
export async function unignoredByGit(
  root: string,
  files: readonly string[],
  env: Env,
): Promise<readonly string[]> {
  if (files.length === 0 || !isInGit(root, env)) return [];
  const relative = files.map((file) => path.relative(root, file));
  const tracked = await git(root, env, ['ls-files', '--cached', '-z', '--', ...relative]);
  if (tracked === null) return [];
  const ignored = await ignoredOf(root, env, { paths: relative, evenTracked: true });
  const known = new Set([...tracked.split('\0'), ...ignored]);
  return files.filter((_, index) => !known.has(relative[index]!));
}

/** Those of the paths that rules of git ignore, whether they exist or not. */
async function ignoredOf(
  root: string,
  env: Env,
  of: { readonly paths: readonly string[]; readonly evenTracked: boolean },
): Promise<ReadonlySet<string>> {
  const args = ['check-ignore', '--stdin', '-z', ...(of.evenTracked ? ['--no-index'] : [])];
  // It fails when none is.
  const ignored = of.paths.length === 0 ? null : await git(root, env, args, of.paths.join('\0'));
  return new Set((ignored ?? '').split('\0').filter((it) => it !== ''));
}

/** Told without starting git, which costs more than everything else before a step. */
function isInGit(root: string, env: Env): boolean {
  return env['GIT_DIR'] !== undefined || findAbove(root, '.git') !== null;
}

async function largeUntracked(topLevel: string, env: Env): Promise<readonly string[]> {
  const listed = await git(topLevel, env, ['ls-files', '--others', '--exclude-standard', '-z']);
  const files = (listed ?? '').split('\0').filter((file) => file !== '');
  const large: string[] = [];
  for (const file of files) {
    const found = await lstat(path.join(topLevel, file)).catch(() => null);
    if (found !== null && found.size > UNTRACKED_BYTES_MAX) large.push(file);
  }
  return large;
}

/** What git prints, or null when it is absent, refuses, or says no. */
export function git(
  cwd: string,
  env: Env,
  args: readonly string[],
  input = '',
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = execFile(
      'git',
      [...args],
      { cwd, env: { ...env }, timeout: GIT_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX },
      (error, stdout) => resolve(error === null ? stdout : null),
    );
    // It may end without reading any of it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
