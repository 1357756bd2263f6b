import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { StateCut } from '../../capabilities/workspace/backup-contract.ts';
import { LAST_CHECKPOINT, parseLogName } from '../../formats/delta/log-names.ts';
import { atOnce } from './at-once.ts';
import type { BackupWriter } from './backup-writer.ts';
import { filesUnder } from './files-under.ts';

/** A data file that was written to as recently may be written to still. */
const QUIET_MS = 60_000;
const LOG = '_delta_log';
/** Checksums, compacted logs and checkpoints of later kinds begin with their version too. */
const VERSIONED = /^(\d{20})\./;

/**
 * Copies the tables as they were at the versions of the cut: the log first, then the data files,
 * which are on disk before a commit names them and stay when they are merged. Files of commits
 * under way or later ones may come along; no version names them.
 */
export async function copyLake(
  writer: BackupWriter,
  from: { readonly lake: string; readonly tables: StateCut['tables']; readonly nowMs: number },
): Promise<void> {
  for (const { namespace, name, version } of from.tables) {
    const table = path.join(from.lake, namespace, name);
    const to = path.join('lake', namespace, name);
    await copyLog(writer, { log: path.join(table, LOG), to: path.join(to, LOG), version });
    await atOnce(filesUnder(table), async (file) => {
      if (file.startsWith(`${LOG}${path.sep}`)) return;
      const source = path.join(table, file);
      const isFinal = await isQuiet(source, from.nowMs);
      await writer.add(source, path.join(to, file), { isFinal });
    });
  }
}

async function copyLog(
  writer: BackupWriter,
  of: { readonly log: string; readonly to: string; readonly version: number },
): Promise<void> {
  const { log, to, version } = of;
  const isIn = (name: string): boolean => {
    const known = parseLogName(name)?.version ?? Number(VERSIONED.exec(name)?.[1] ?? 0);
    return !name.startsWith('.') && known <= version;
  };
  await atOnce(await readdir(log, { withFileTypes: true }), async (entry) => {
    const { name } = entry;
    const source = path.join(log, name);
    if (name === LAST_CHECKPOINT) await copyHint(writer, { source, to, version });
    else if (entry.isFile() && isIn(name)) {
      // A commit gets its name when it is whole.
      await writer.add(source, path.join(to, name), { isFinal: true });
    } else if (entry.isDirectory()) {
      for await (const file of filesUnder(source)) {
        await writer.add(path.join(source, file), path.join(to, name, file));
      }
    }
  });
}

/** The newest checkpoint, when it is not later than the cut; readers do without. */
async function copyHint(
  writer: BackupWriter,
  of: { readonly source: string; readonly to: string; readonly version: number },
): Promise<void> {
  const text = await readFile(of.source, 'utf8');
  const version = /"version"\s*:\s*(\d+)/.exec(text)?.[1];
  if (version === undefined || Number(version) > of.version) return;
  await writer.write(path.join(of.to, LAST_CHECKPOINT), text);
}

async function isQuiet(file: string, nowMs: number): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && Math.abs(nowMs - found.mtimeMs) > QUIET_MS;
}
