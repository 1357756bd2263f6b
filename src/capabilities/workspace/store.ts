import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';
import type { ClockKind } from './contract.ts';

export interface StoredWorkspace {
  readonly id: string;
  readonly name: string;
  readonly clock: ClockKind;
  readonly now: Micros;
  readonly created_at: Micros;
}

interface WorkspaceTables {
  readonly workspace: StoredWorkspace;
}

/** The table `workspace`, which holds one row: which clock it runs on, and where that stands. */
export class WorkspaceStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Creates the workspace; `CONFLICT` when another process did meanwhile. */
  async create(described: {
    readonly id: string;
    readonly name: string;
    readonly clock: ClockKind;
    readonly wall: Micros;
  }): Promise<StoredWorkspace> {
    const { id, name, clock, wall } = described;
    // A replay clock starts at the epoch: the first advance says where the story begins.
    const now = (clock === 'replay' ? 0 : wall) as Micros;
    const row = { id, name, clock, now, created_at: wall };
    const builder = this.#db.queries<WorkspaceTables>();
    const taken = new AppError('CONFLICT', 'Another process made a workspace in this database.', {
      hint: 'Give each workspace a database or a schema of its own.',
    });
    await this.#db.write([
      { query: builder.insertInto('workspace').values(row) },
      // There is one row: this one touches them all.
      {
        query: builder.updateTable('workspace').set({ now }),
        expect: { rows: 1, otherwise: taken },
      },
    ]);
    return row;
  }

  async setNow(now: Micros): Promise<void> {
    const query = this.#db.queries<WorkspaceTables>().updateTable('workspace').set({ now });
    await this.#db.write([{ query }]);
  }

  /** Null in a new database. */
  async find(): Promise<StoredWorkspace | null> {
    const query = this.#db.queries<WorkspaceTables>().selectFrom('workspace').selectAll();
    const [row] = await this.#db.read(query);
    return row ?? null;
  }
}
