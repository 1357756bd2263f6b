import { link, mkdir, opendir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import { QUARANTINE } from '../../capabilities/predictions/quarantine.ts';
import { LABELS, PREDICTIONS } from '../../capabilities/predictions/tables.ts';
import { lakeFolders } from '../../capabilities/tables/lake-folders.ts';
import type { StateCut } from '../../capabilities/workspace/backup-contract.ts';
import { parseLogName } from '../../formats/delta/log-names.ts';
import { HEADER_BYTES } from '../../platform/journal/segment.ts';
import type { StateFolder } from '../../platform/state/state-folder.ts';
import { randomToken } from '../../platform/system.ts';

/**
 * Writes a copy of the metadata as it is while `action` runs; changes of it wait meanwhile. Null
 * where the metadata is elsewhere and has backups of its own.
 */
export type Snapshot = ((file: string, action: () => Promise<void>) => Promise<void>) | null;

interface StateCutsDeps {
  readonly folder: StateFolder;
  readonly snapshot: Snapshot;
  readonly clock: Pick<Clock, 'wall'>;
}

const PREFIX = 'cut-';

/**
 * Moments of the state that a backup is copied from while the server works on.
 *
 * Metadata names versions of tables, and rows name revisions of the metadata; the journal feeds the
 * tables, which number what they took from it. So the metadata stands still while the rest is noted
 * in the order in which it flows: what has left one place by the time that it is looked at is
 * found in a later one. Rows that were labelled come after their labels, tables that labels are
 * read from come last. What is in two places is recognised by its number, as after a crash.
 */
export class StateCuts {
  readonly #deps: StateCutsDeps;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(deps: StateCutsDeps) {
    this.#deps = deps;
  }

  /** Ends a former one, whose backup may have died. */
  async take(): Promise<StateCut> {
    const mine = this.#taking.then(() => this.#take());
    this.#taking = mine.catch(() => undefined);
    return mine;
  }

  async drop(id: string): Promise<void> {
    await rm(this.#folderOf(id), { recursive: true, force: true });
  }

  async #take(): Promise<StateCut> {
    const { snapshot, clock, folder: state } = this.#deps;
    if (snapshot === null) throw elsewhere(state);
    await dropCuts(state);
    const id = randomToken(8);
    const folder = this.#folderOf(id);
    const journal = new JournalCut(state.journal, path.join(folder, 'journal'));
    let tables: StateCut['tables'] = [];
    let takenAt = clock.wall();
    try {
      await mkdir(journal.to, { recursive: true });
      await snapshot(path.join(folder, 'metadata.db'), async () => {
        takenAt = clock.wall();
        await journal.take();
        tables = await tableVersions(state.lake);
        await journal.reserve();
      });
    } catch (thrown) {
      await this.drop(id);
      throw thrown;
    }
    return { id, folder, takenAt: formatInstant(takenAt), tables, journal: journal.files };
  }

  #folderOf(id: string): string {
    return path.join(this.#deps.folder.temporary, `${PREFIX}${id}`);
  }
}

/** Removes what backups that died have left behind. */
export async function dropCuts({ temporary }: StateFolder): Promise<void> {
  const names = await orEmpty(readdir(temporary));
  for (const name of names.filter((it) => it.startsWith(PREFIX))) {
    await rm(path.join(temporary, name), { recursive: true, force: true });
  }
}

/** Links to the segments: they outlive the flush that removes them. */
class JournalCut {
  readonly files: { name: string; bytes: number }[] = [];
  readonly to: string;
  readonly #from: string;

  constructor(from: string, to: string) {
    this.#from = from;
    this.to = to;
  }

  /** Every record that was acknowledged before. */
  async take(): Promise<void> {
    for (const name of await orEmpty(readdir(this.#from))) await this.#link(name, Infinity);
  }

  /**
   * Of segments that were begun since, the header: their numbers may be in tables already, and the
   * copy must not give them to other records.
   */
  async reserve(): Promise<void> {
    const known = new Set(this.files.map(({ name }) => name));
    for (const name of await orEmpty(readdir(this.#from))) {
      if (!known.has(name)) await this.#link(name, HEADER_BYTES);
    }
  }

  async #link(name: string, bytesMax: number): Promise<void> {
    const file = path.join(this.to, name);
    try {
      await link(path.join(this.#from, name), file);
    } catch (thrown) {
      // Flushed meanwhile: its records are in tables, which are looked at later.
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw thrown;
    }
    const { size } = await stat(file);
    this.files.push({ name, bytes: Math.min(size, bytesMax) });
  }
}

async function tableVersions(lake: string): Promise<StateCut['tables']> {
  const places = [LABELS, QUARANTINE, PREDICTIONS];
  const place = ({ namespace }: { namespace: string }): number => {
    const at = places.indexOf(namespace);
    return at < 0 ? places.length : at;
  };
  const folders = (await lakeFolders(lake)).toSorted((a, b) => place(a) - place(b));
  const found: StateCut['tables'] = [];
  for (const { namespace, name } of folders) {
    const version = await newestVersion(path.join(lake, namespace, name, '_delta_log'));
    if (version !== null) found.push({ namespace, name, version });
  }
  return found;
}

/** Entry by entry: a long log read at once would hold the event loop. */
async function newestVersion(log: string): Promise<number | null> {
  let newest: number | null = null;
  try {
    for await (const { name } of await opendir(log)) {
      const version = parseLogName(name)?.version ?? -1;
      if (version >= 0 && version > (newest ?? -1)) newest = version;
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  return newest;
}

function elsewhere({ root }: StateFolder): AppError {
  return new AppError('NOT_SUPPORTED', 'The metadata of this workspace is in PostgreSQL.', {
    hint:
      'The two must be of one moment: stop the server, copy the database with ' +
      `pg_dump --format=custom --file=metadata.dump and the folder ${root} with cp -a, and start it.`,
  });
}

async function orEmpty(names: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await names;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}
