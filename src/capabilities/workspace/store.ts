import type { Micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';
import type { ClockKind } from './contract.ts';

interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly clock: ClockKind;
  readonly now: Micros;
  readonly created_at: Micros;
}

interface WorkspaceTables {
  readonly workspace: WorkspaceRow;
}

/** The table `workspace`, which holds one row: which clock it runs on, and where that stands. */
export class WorkspaceStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The workspace, created as described when the database is new. */
  async open(described: {
    readonly id: string;
    readonly name: string;
    readonly clock: ClockKind;
    readonly wall: Micros;
  }): Promise<WorkspaceRow> {
    const found = await this.#find();
    if (found !== null) return found;
    const { id, name, clock, wall } = described;
    // A replay clock starts at the epoch: the first advance says where the story begins.
    const now = clock === 'replay' ? 0 : wall;
    const row = { id, name, clock, now: now as Micros, created_at: wall };
    const query = this.#db.queries<WorkspaceTables>().insertInto('workspace').values(row);
    await this.#db.write([{ query }]);
    return row;
  }

  async setNow(now: Micros): Promise<void> {
    const query = this.#db.queries<WorkspaceTables>().updateTable('workspace').set({ now });
    await this.#db.write([{ query }]);
  }

  async #find(): Promise<WorkspaceRow | null> {
    const query = this.#db.queries<WorkspaceTables>().selectFrom('workspace').selectAll();
    const [row] = await this.#db.read(query);
    return row ?? null;
  }
}
