import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { dropCut, takeCut, type StateCut } from '../../capabilities/workspace/backup-contract.ts';
import type { Api } from '../../platform/cli/context.ts';
import { syncFolder } from '../../platform/exec/durable-file.ts';
import { stateFolder } from '../../platform/state/state-folder.ts';
import { systemClock } from '../../platform/system.ts';
import { programVersion } from '../program.ts';
import { BackupWriter } from './backup-writer.ts';
import { copyState, LEFT_OUT } from './copy-state.ts';
import { MANIFEST, SUMS, type Manifest } from './manifest.ts';

export interface BackupResult extends Manifest {
  /** Absolute. */
  readonly folder: string;
  readonly linkedBytes: number;
  readonly seconds: number;
}

/**
 * Copies a state folder to a new folder beside which it is made and which it becomes when it is
 * whole. Rejects with `DISK_FULL`, and with what taking the cut rejects with.
 */
export async function makeBackup(
  api: Api,
  on: {
    readonly state: string;
    /** As `freePlace` gave it. */
    readonly to: string;
    readonly onFile: (done: { readonly files: number; readonly bytes: number }) => void;
  },
): Promise<BackupResult> {
  const start = systemClock.elapsed();
  const { to } = on;
  const partial = `${to}.partial-${process.pid}`;
  await mkdir(partial, { mode: 0o700 });
  const writer = new BackupWriter(partial, () => on.onFile(writer));
  try {
    const cut = await api.call(takeCut, {});
    try {
      const nowMs = systemClock.wall() / 1000;
      await copyState(writer, { state: stateFolder(on.state), cut, nowMs });
    } finally {
      await api.call(dropCut, { params: { cut: cut.id } }).catch(() => undefined);
    }
    const manifest = await describe(writer, cut, on.state);
    await writer.finish();
    // A folder that is not empty takes no other's place.
    await rename(partial, to);
    await syncFolder(path.dirname(to));
    const seconds = (systemClock.elapsed() - start) / 1000;
    return { ...manifest, folder: to, linkedBytes: writer.linkedBytes, seconds };
  } catch (thrown) {
    await rm(partial, { recursive: true, force: true });
    throw toBackupError(thrown, to);
  }
}

async function describe(writer: BackupWriter, cut: StateCut, state: string): Promise<Manifest> {
  const { sums, files, bytes } = writer;
  const manifest = {
    format: 1 as const,
    version: programVersion,
    takenAt: cut.takenAt,
    stateFolder: path.resolve(state),
    tables: cut.tables.length,
    files,
    bytes,
    leftOut: LEFT_OUT,
    sums: createHash('sha256').update(sums).digest('hex'),
  };
  await writer.write(SUMS, sums);
  await writer.write(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/**
 * The absolute place of the backup, free and outside of what is copied. Rejects with
 * `WORKSPACE_NOT_FOUND`, `BACKUP_EXISTS`.
 */
export async function freePlace(to: string, state: string): Promise<string> {
  const wanted = path.resolve(to);
  if (!existsSync(path.join(state, 'format.json'))) {
    throw new AppError('WORKSPACE_NOT_FOUND', `There is no workspace in ${path.resolve(state)}.`, {
      hint: 'Go to the folder of the project, or name the state folder with --state.',
    });
  }
  if (existsSync(wanted)) {
    throw new AppError('BACKUP_EXISTS', `${wanted} is there already.`, {
      hint: 'Nothing was written. Give each backup a name of its own, with the day for example.',
    });
  }
  const parent = path.dirname(wanted);
  await mkdir(parent, { recursive: true });
  const place = path.join(await realpath(parent), path.basename(wanted));
  const below = path.relative(await realpath(state), place);
  if (!below.startsWith('..') && !path.isAbsolute(below)) {
    throw new AppError('INVALID_INPUT', `${place} is within the state folder.`, {
      hint: 'Put the backup beside it, or better on another disk.',
    });
  }
  await removePartial(place);
  return place;
}

/** What a backup to this place left that was killed. */
async function removePartial(place: string): Promise<void> {
  const start = `${path.basename(place)}.partial-`;
  for (const name of await readdir(path.dirname(place))) {
    const pid = name.startsWith(start) ? Number(name.slice(start.length)) : Number.NaN;
    if (!Number.isInteger(pid) || isRunning(pid)) continue;
    await rm(path.join(path.dirname(place), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function toBackupError(thrown: unknown, to: string): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError('DISK_FULL', `The disk has no room for ${to}.`, {
      hint: 'Free some space, or back up to another disk; nothing was left there.',
      cause: thrown,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const { path: at = to } = thrown as NodeJS.ErrnoException;
    return new AppError('STATE_UNWRITABLE', `${at} cannot be read or written (${code}).`, {
      hint: 'Run the backup as the user that the server runs as.',
      cause: thrown,
    });
  }
  return thrown;
}
