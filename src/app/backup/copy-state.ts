import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { StateCut } from '../../capabilities/workspace/backup-contract.ts';
import type { StateFolder } from '../../platform/state/state-folder.ts';
import { atOnce } from './at-once.ts';
import type { BackupWriter } from './backup-writer.ts';
import { copyLake } from './copy-lake.ts';
import { filesUnder } from './files-under.ts';

/** Made again from the rest, with what each costs: the answer to why it is not in a backup. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  online: 'the online store is filled again from the tables',
  monitoring: 'summaries are made again from the tables',
  environments: 'Python environments are built again from their locks',
  bin: 'written at each start of a step',
  backups: 'copies of older metadata',
  tmp: 'work under way',
};
/** Of a process, or copied by the cut. */
const NOT_STATE = /^(?:owner|engine)\.|^metadata\.db|^\.|^SHA256SUMS$|^backup\.json$/;
const COPIED_APART = new Set(['journal', 'lake', 'artifacts', 'attempts']);
/** What anyone may not write to is written to by nobody. */
const WRITE_BITS = 0o222;
const DIGEST = /^[0-9a-f]{64}$/;
const EXIT_STATUS = /^\d+\s*$/;

/** Copies the state as it was at the cut. */
export async function copyState(
  writer: BackupWriter,
  from: { readonly state: StateFolder; readonly cut: StateCut; readonly nowMs: number },
): Promise<void> {
  const { state, cut, nowMs } = from;
  await copyCut(writer, cut);
  await copyLake(writer, { lake: state.lake, tables: cut.tables, nowMs });
  await copyArtifacts(writer, state.artifacts);
  await copyAttempts(writer, state.attempts);
  for (const entry of await readdir(state.root, { withFileTypes: true })) {
    const { name } = entry;
    if (name in LEFT_OUT || COPIED_APART.has(name) || NOT_STATE.test(name)) continue;
    const source = path.join(state.root, name);
    if (entry.isDirectory()) await copyFolder(writer, source, name);
    else if (entry.isSymbolicLink()) await writer.link(source, name);
    else if (entry.isFile()) await writer.add(source, name);
  }
}

async function copyCut(writer: BackupWriter, cut: StateCut): Promise<void> {
  const isThere = await writer.add(path.join(cut.folder, 'metadata.db'), 'metadata.db');
  if (!isThere) {
    throw new AppError('CONFLICT', 'Another backup of this workspace was begun meanwhile.', {
      hint: 'One at a time: wait for that one, then try again. Nothing was left of this one.',
    });
  }
  await writer.folder('journal');
  for (const { name, bytes } of cut.journal) {
    const source = path.join(cut.folder, 'journal', name);
    await writer.add(source, path.join('journal', name), { bytesMax: bytes });
  }
}

/** Blobs come under their digest when they are whole, and never change. */
async function copyArtifacts(writer: BackupWriter, artifacts: string): Promise<void> {
  await atOnce(filesUnder(artifacts), async (file) => {
    if (file.startsWith(`tmp${path.sep}`)) return;
    const name = path.basename(file);
    const isBlob = DIGEST.test(name);
    await writer.add(path.join(artifacts, file), path.join('artifacts', file), {
      isFinal: isBlob,
      ...(isBlob ? { sha256: name } : {}),
    });
  });
}

/**
 * A step that runs belongs to the server it was copied from: the copy must neither adopt nor stop
 * it, so its process is said to be one that never began.
 */
async function copyAttempts(writer: BackupWriter, attempts: string): Promise<void> {
  for (const attempt of await readdir(attempts).catch(() => [])) {
    const folder = path.join(attempts, attempt);
    const to = path.join('attempts', attempt);
    const exit = await readFile(path.join(folder, 'exit'), 'utf8').catch(() => '');
    const hasEnded = EXIT_STATUS.test(exit);
    for await (const file of filesUnder(folder)) {
      if (file === 'process' && !hasEnded) continue;
      await writer.add(path.join(folder, file), path.join(to, file));
    }
    if (!hasEnded) await writer.write(path.join(to, 'process'), '');
  }
}

async function copyFolder(writer: BackupWriter, folder: string, to: string): Promise<void> {
  await atOnce(filesUnder(folder), async (file) => {
    const source = path.join(folder, file);
    const isFinal = ((await stat(source)).mode & WRITE_BITS) === 0;
    await writer.add(source, path.join(to, file), { isFinal });
  });
}
