import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

const SQLITE_BUSY = 5;
/** Outlasts whoever only looks whether the lock is held. */
const LOOK_MS_MAX = 50;

/**
 * Takes an exclusive lock on a file, or answers null when another process holds it. It is an
 * exclusive SQLite transaction: the operating system drops it with its holder, however that dies.
 */
export function tryLockFile(file: string): FileLock | null {
  const database = new DatabaseSync(file, { timeout: LOOK_MS_MAX });
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if (isBusy(thrown)) return null;
    throw thrown;
  }
  return {
    release: () => {
      database.close();
    },
  };
}

/** Whether some process holds the lock, without taking it. */
export function isFileLocked(file: string): boolean {
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (thrown) {
    return isBusy(thrown);
  } finally {
    database.close();
  }
}

function isBusy(thrown: unknown): boolean {
  // The low byte is the primary code; extended codes carry it too.
  const { errcode = 0 } = thrown as { errcode?: number };
  return (errcode & 0xff) === SQLITE_BUSY;
}
