import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';

/** A file of a tracked directory; `relpath` has `/` between its parts. */
export interface DirectoryEntry {
  readonly md5: string;
  readonly relpath: string;
}

export interface DirectoryObject {
  /** MD5 of the text, and `.dir`. */
  readonly oid: string;
  readonly text: string;
}

/**
 * The cache object of a directory: Python's `json.dumps(sort_keys=True)` of its files by path, in
 * the order of code points (UTF-16 order differs beyond U+FFFF).
 */
export function directoryObject(entries: readonly DirectoryEntry[]): DirectoryObject {
  const sorted = entries.toSorted((a, b) => byCodePoint(a.relpath, b.relpath));
  const items = sorted.map(
    ({ md5, relpath }) => `{"md5": ${pythonString(md5)}, "relpath": ${pythonString(relpath)}}`,
  );
  const text = `[${items.join(', ')}]`;
  return { oid: `${createHash('md5').update(text).digest('hex')}.dir`, text };
}

/** A hash becomes part of a path in the cache. */
const Entries = z.array(z.object({ md5: z.string().regex(/^[0-9a-f]{32}$/), relpath: z.string() }));

/** Rejects with `INVALID_PIPELINE` what is no directory object. */
export function readDirectoryObject(text: string, name: string): readonly DirectoryEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = Entries.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('INVALID_PIPELINE', `The cache object ${name} is no directory of DVC.`, {
    hint: 'Remove it from the cache; the stage that makes it will run again.',
  });
}

export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A JSON string as Python writes it: everything outside printable ASCII escaped. */
export function pythonString(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
