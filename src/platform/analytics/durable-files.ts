import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../base/errors.ts';

/** File steps that survive a power loss once they return. */

/** Creates the folder and what is missing above it. */
export async function ensureFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; ; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
    if (folder === first || dirname(folder) === folder) return;
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function writeFileDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Gives a complete file its name if the name is free; false when it is taken. A hard link is the
 * one step that is both atomic and refuses to overwrite: rename replaces silently, and an exclusive
 * open shows readers a half-written file.
 */
export async function linkIfAbsent(complete: string, target: string): Promise<boolean> {
  try {
    await link(complete, target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    if (WITHOUT_LINKS.has(code)) throw linksNeeded(target, error);
    throw error;
  }
  await syncFolder(dirname(target));
  return true;
}

/** How file systems say that they have no hard links (exFAT, some FUSE and SMB mounts). */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV']);

function linksNeeded(target: string, cause: unknown): AppError {
  return new AppError('STATE_UNWRITABLE', `The file system under ${target} has no hard links.`, {
    hint: 'Tables commit by hard link: move the state folder to a disk with ext4, XFS or the like.',
    cause,
  });
}

export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

export async function removeIfPresent(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
