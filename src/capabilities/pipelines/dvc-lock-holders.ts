import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { overlap } from '../../formats/dvc/stage.ts';

const Holder = z.object({ pid: z.number().int(), cmd: z.string() });
/** `.dvc/tmp/rwlock`: which process of dvc reads or writes which path. */
const RwLock = z.object({
  write: z.record(z.string(), Holder).default({}),
  read: z.record(z.string(), z.array(Holder)).default({}),
});
type Holder = z.infer<typeof Holder>;

/**
 * Rejects with `STAGE_FAILED` while a dvc that runs writes what the stage reads, or uses what it
 * writes. All paths are absolute.
 */
export async function refuseWhileDvcRuns(
  dvcFolder: string,
  stage: {
    readonly name: string;
    readonly reads: readonly string[];
    readonly writes: readonly string[];
  },
): Promise<void> {
  const text = await readFile(path.join(dvcFolder, 'tmp', 'rwlock'), 'utf8').catch(() => '{}');
  const parsed = RwLock.safeParse(parseJson(text));
  // A file that dvc itself could not read keeps nobody out.
  if (!parsed.success) return;
  const { read, write } = parsed.data;
  const writers = Object.entries(write).map(([file, holder]) => ({ file, holder }));
  const readers = Object.entries(read).flatMap(([file, holders]) =>
    holders.map((holder) => ({ file, holder })),
  );
  const found = held(writers, [...stage.reads, ...stage.writes]) ?? held(readers, stage.writes);
  if (found === null) return;
  const { file, holder } = found;
  throw new AppError(
    'STAGE_FAILED',
    `Stage ${stage.name} failed: ${holder.cmd} (process ${holder.pid}) is using ${file}.`,
    { hint: 'Wait until it has ended, then run again.' },
  );
}

function held(
  locks: readonly { readonly file: string; readonly holder: Holder }[],
  files: readonly string[],
): { readonly file: string; readonly holder: Holder } | null {
  const lock = locks.find(
    ({ file, holder }) => files.some((it) => overlap(file, it)) && runs(holder.pid),
  );
  return lock ?? null;
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
