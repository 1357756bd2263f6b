import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';

/** What a backup says of itself, and the checksums of its files. */
export const MANIFEST = 'backup.json';
export const SUMS = 'SHA256SUMS';

const Manifest = z.object({
  format: z.literal(1),
  /** Of the Millwright that made it. */
  version: z.string(),
  /** RFC 3339: everything acknowledged before is in it. */
  takenAt: z.string(),
  stateFolder: z.string(),
  tables: z.number().int(),
  files: z.number().int(),
  bytes: z.number().int(),
  /** What is made again, by folder. */
  leftOut: z.record(z.string(), z.string()),
  /** SHA-256 of the file with the checksums. */
  sums: z.string(),
});
export type Manifest = z.infer<typeof Manifest>;

/** `BACKUP_NOT_FOUND` for a folder that is none, or one that was never finished. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch(() => 'null');
  const parsed = Manifest.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError('BACKUP_NOT_FOUND', `There is no backup in ${path.resolve(folder)}.`, {
    hint: `A folder that \`millwright backup\` has finished has a ${MANIFEST}.`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
