import {
  closeSync,
  existsSync,
  fsync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../base/errors.ts';

/**
 * File steps that survive a power loss once they return, for the engine's thread. Waited for is
 * only the disk: opening, closing and naming a file take some microseconds, and ten times as much
 * when each goes through the thread pool; an append has fifteen of them.
 */

const synced = promisify(fsync);

/** Creates the folder and what is missing above it. */
export async function ensureFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; ; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
    if (folder === first || dirname(folder) === folder) return;
  }
}

export async function syncFolder(path: string): Promise<void> {
  await syncAt(path, 'r');
}

export async function syncFile(path: string): Promise<void> {
  await syncAt(path, 'r+');
}

async function syncAt(path: string, flags: string): Promise<void> {
  const file = openSync(path, flags);
  try {
    await synced(file);
  } finally {
    closeSync(file);
  }
}

/** The file has its name and content when this returns, and outlives a power loss when awaited. */
export async function writeFileDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, content);
    await synced(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Gives a complete file its name if the name is free; false when it is taken. A hard link is the
 * one step that is both atomic and refuses to overwrite: rename replaces silently, and an exclusive
 * open shows readers a half-written file.
 */
export async function linkIfAbsent(complete: string, target: string): Promise<boolean> {
  try {
    linkSync(complete, target);
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
  renameSync(from, to);
  await syncFolder(dirname(to));
}

export function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
