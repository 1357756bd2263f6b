import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { atOnce } from './at-once.ts';
import { parseSums } from './checksums.ts';
import { readManifest, SUMS } from './manifest.ts';

export interface Verification {
  /** Absolute. */
  readonly folder: string;
  readonly takenAt: string;
  readonly files: number;
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  /** A server has run in it, so that it is no copy of that moment any more. */
  readonly wasUsed: boolean;
}

/** Reads all of a backup and compares it with its checksums. */
export async function verifyBackup(
  at: string,
  onFile: (files: number) => void,
): Promise<Verification> {
  const folder = path.resolve(at);
  const { takenAt, sums: expected } = await readManifest(folder);
  const text = await readFile(path.join(folder, SUMS), 'utf8').catch(() => null);
  const wasUsed = existsSync(path.join(folder, 'owner.lock'));
  const found = { folder, takenAt, wasUsed };
  if (text === null) return { ...found, files: 0, missing: [SUMS], changed: [] };
  const sums = parseSums(text);
  const isTrue = createHash('sha256').update(text).digest('hex') === expected;
  if (sums === null || !isTrue) return { ...found, files: 0, missing: [], changed: [SUMS] };
  const missing: string[] = [];
  const changed: string[] = [];
  let files = 0;
  await atOnce(sums, async ({ file, sha256 }) => {
    const is = await digestOf(path.join(folder, file));
    if (is === null) missing.push(file);
    else if (is !== sha256) changed.push(file);
    files += 1;
    onFile(files);
  });
  return { ...found, files, missing: missing.toSorted(), changed: changed.toSorted() };
}

/** Null for a file that is not there. */
async function digestOf(file: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
  return hash.digest('hex');
}
