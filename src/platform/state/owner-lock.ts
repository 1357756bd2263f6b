import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { isFileLocked, tryLockFile, type FileLock } from './file-lock.ts';

/** Who owns a state folder, for the command line to find: see `owner.json`. */
export interface Owner {
  /** Where it listens; null while a command owns the folder without a listener. */
  readonly url: string | null;
  readonly pid: number;
  /** Which start of the folder this is; a greater number came later. */
  readonly epoch: number;
}

export interface OwnerLock {
  readonly epoch: number;
  /** Tells others where to find this owner. */
  announce(url: string | null): void;
  release(): void;
}

/**
 * Takes the folder for this process. The lock is an exclusive SQLite transaction on `owner.lock`:
 * the operating system drops it with its holder, however that dies. Rejects with `STATE_OWNED`.
 */
export function takeOwnerLock(stateFolder: string): OwnerLock {
  const folder = path.resolve(stateFolder);
  makeFolder(folder);
  const lock = openLock(folder);
  const ownerFile = path.join(folder, 'owner.json');
  const epoch = (readOwner(folder)?.epoch ?? 0) + 1;
  const announce = (url: string | null): void => {
    const temporary = `${ownerFile}.tmp`;
    const owner: Owner = { url, pid: process.pid, epoch };
    writeFileSync(temporary, `${JSON.stringify(owner)}\n`);
    renameSync(temporary, ownerFile);
  };
  announce(null);
  return {
    epoch,
    announce,
    release: () => {
      // The epoch survives; a missing url means nobody is listening.
      announce(null);
      lock.release();
    },
  };
}

/** The owner last announced, alive or not; null when the folder never had one. */
export function readOwner(stateFolder: string): Owner | null {
  try {
    return JSON.parse(readFileSync(path.join(stateFolder, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return null;
  }
}

/** Whether the owner last announced, or a later one, lives. */
export function isOwned(stateFolder: string): boolean {
  return isFileLocked(path.join(stateFolder, 'owner.lock'));
}

function makeFolder(folder: string): void {
  try {
    makeMissing(folder);
    const probe = path.join(folder, '.writable');
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (thrown) {
    throw unwritable(folder, thrown);
  }
}

/**
 * Node's own recursive `mkdir` tries for ever where a folder exists and takes no others, such as in
 * /proc.
 */
function makeMissing(folder: string): void {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = path.dirname(at)) missing.push(at);
  for (const at of missing.toReversed()) {
    try {
      mkdirSync(at, { mode: 0o700 });
    } catch (thrown) {
      // Another process may have been faster.
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
  }
}

function unwritable(folder: string, cause: unknown): AppError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new AppError(
    'STATE_UNWRITABLE',
    `The state folder ${folder} cannot be written (${code}).`,
    {
      hint: 'Give this user write permission, or choose another folder with --state.',
      cause,
    },
  );
}

function openLock(folder: string): FileLock {
  let lock: FileLock | null;
  try {
    lock = tryLockFile(path.join(folder, 'owner.lock'));
  } catch (thrown) {
    throw unwritable(folder, thrown);
  }
  if (lock !== null) return lock;
  const owner = readOwner(folder);
  const who = owner === null ? 'another process' : `process ${owner.pid}`;
  const where = owner === null || owner.url === null ? '' : ` at ${owner.url}`;
  throw new AppError('STATE_OWNED', `${folder} is in use by ${who}${where}.`, {
    hint: 'Use that one (commands find it by themselves), stop it, or choose another folder with --state.',
    details: { pid: owner?.pid ?? null, url: owner?.url ?? null },
  });
}
