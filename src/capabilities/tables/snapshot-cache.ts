import { loadSnapshot, refreshSnapshot } from '../../formats/delta/load-snapshot.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';

/** Tables whose newest state is kept: opening one again costs reading its checkpoint. */
const TABLES_MAX = 256;
/** Files of all kept states together: about 200 bytes of memory each. */
const FILES_MAX = 1_000_000;

/** The newest known state of each table, brought up to date on every use. */
export class SnapshotCache {
  /** In the order of last use. */
  readonly #snapshots = new Map<string, Snapshot>();

  /** The newest version, or null when the folder holds no table. */
  async newest(io: TableIo): Promise<Snapshot | null> {
    const known = this.#snapshots.get(io.location);
    const snapshot =
      known === undefined ? await loadSnapshot(io) : await refreshSnapshot(io, known);
    if (snapshot !== null) this.put(io, snapshot);
    return snapshot;
  }

  /** What is known, without a look at the log, when it is no older than the version. */
  async atLeast(io: TableIo, version: number): Promise<Snapshot | null> {
    const known = this.#snapshots.get(io.location);
    return known !== undefined && known.version >= version ? known : await this.newest(io);
  }

  /** One version: the newest when none is asked for. */
  async at(io: TableIo, version: number | undefined): Promise<Snapshot | null> {
    if (version === undefined) return await this.newest(io);
    const known = this.#snapshots.get(io.location);
    return known?.version === version ? known : await loadSnapshot(io, version);
  }

  put({ location }: TableIo, snapshot: Snapshot): void {
    this.#snapshots.delete(location);
    this.#snapshots.set(location, snapshot);
    let files = 0;
    for (const { files: kept } of this.#snapshots.values()) files += kept.size;
    for (const [oldest, { files: kept }] of this.#snapshots) {
      if (this.#snapshots.size <= TABLES_MAX && files <= FILES_MAX) return;
      if (oldest === location) return;
      this.#snapshots.delete(oldest);
      files -= kept.size;
    }
  }
}
