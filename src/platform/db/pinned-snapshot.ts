import { backup, DatabaseSync } from 'node:sqlite';
import { toWireFailure } from './sqlite-error.ts';
import type { WireOutcome } from './sqlite-protocol.ts';

/** Pages copied in one go, 4 KiB each: reads of the thread wait for no more. */
const PAGES_PER_STEP = 256;

/** A read transaction of its own, which sees the database as it was when it was taken. */
export class PinnedSnapshot {
  readonly #file: string;
  #db: DatabaseSync | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** Drops the one that was taken before. */
  take(): WireOutcome {
    this.drop();
    try {
      this.#db = new DatabaseSync(this.#file, { readOnly: true });
      this.#db.exec('begin');
      // The snapshot is that of the first read.
      this.#db.prepare('select count(*) from sqlite_master').get();
      return { results: [] };
    } catch (error) {
      this.drop();
      return { failure: toWireFailure(error, 'begin') };
    }
  }

  /** Writes what was pinned to a new file, and drops it. */
  async copyTo(file: string): Promise<WireOutcome> {
    try {
      if (this.#db === null) throw new Error('no snapshot is pinned');
      await backup(this.#db, file, { rate: PAGES_PER_STEP });
      return { results: [] };
    } catch (error) {
      return { failure: toWireFailure(error, 'backup') };
    } finally {
      this.drop();
    }
  }

  drop(): void {
    this.#db?.close();
    this.#db = null;
  }
}
