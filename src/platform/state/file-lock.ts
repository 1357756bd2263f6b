import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Takes an exclusive lock on a file, or answers null when another process holds it. It is an
 * exclusive SQLite transaction: the operating system drops it with its holder, however that dies.
 */
export function tryLockFile(file: string): FileLock | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    // The low byte is the primary code; extended codes carry it too.
    const { errcode = 0 } = thrown as { errcode?: number };
    if ((errcode & 0xff) === SQLITE_BUSY) return null;
    throw thrown;
  }
  return {
    release: () => {
      database.close();
    },
  };
}
