import type { Clock } from '../base/time.ts';
import { AppError } from '../base/errors.ts';
import type { Ids } from '../base/ids.ts';
import type { StoredWorkspace, WorkspaceStore } from '../capabilities/workspace/store.ts';
import type { Config } from '../platform/config/config.ts';
import type { Dialect } from '../platform/db/port.ts';
import { bindWorkspace, boundWorkspace, type StateFolder } from '../platform/state/state-folder.ts';

/**
 * The workspace of a state folder and its database. The two belong together and each names the
 * workspace: with the database of another one, endpoints would point to files that are not here,
 * and both would send each other's messages. Rejects with `INVALID_CONFIG`.
 */
export async function openWorkspace(on: {
  readonly store: WorkspaceStore;
  readonly folder: StateFolder;
  readonly dialect: Dialect;
  readonly config: Config;
  readonly clock: Pick<Clock, 'wall'>;
  readonly ids: Ids;
}): Promise<StoredWorkspace> {
  const { store, folder, dialect, config, clock, ids } = on;
  const bound = boundWorkspace(folder);
  const found = await store.find();
  if (found === null) {
    const id = bound ?? ids.next('ws');
    // The folder first: a crash in between leaves it bound to the workspace made at the next start.
    bindWorkspace(folder, id);
    const { name, clock: kind } = config;
    return store.create({ id, name, clock: kind ?? 'live', wall: clock.wall() });
  }
  if (found.id !== bound) {
    // A SQLite file lies in its folder, so a folder that names no workspace yet is its own.
    if (bound !== null || dialect !== 'sqlite') throw otherWorkspace(folder, found);
    bindWorkspace(folder, found.id);
  }
  if (config.clock !== null && config.clock !== found.clock) {
    throw new AppError('INVALID_CONFIG', `The clock of this workspace is ${found.clock}.`, {
      hint: `It was chosen when the workspace was made; for a ${config.clock} one use another --state.`,
    });
  }
  return found;
}

function otherWorkspace(folder: StateFolder, found: StoredWorkspace): AppError {
  return new AppError(
    'INVALID_CONFIG',
    `The database belongs to the workspace ${found.name} (${found.id}) of another state folder, not to ${folder.root}.`,
    {
      hint:
        'Give each workspace a database of its own, or a schema: append ' +
        '?options=-csearch_path%3DNAME to the URL (and create the schema first).',
    },
  );
}
