import { open, type FileHandle } from 'node:fs/promises';

/** Where a record lies; valid until its segment is released. */
export interface Position {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  readonly seq: number;
}

/** The payloads in the order of the positions; null for one whose segment is gone. */
export async function readRecords(
  positions: readonly Position[],
): Promise<readonly (string | null)[]> {
  const payloads: (string | null)[] = [];
  let of: string | null = null;
  let handle: FileHandle | null = null;
  try {
    // One after the other: a thousand at once would hold the event loop while they are begun.
    for (const { segment, offset, length } of positions) {
      if (of !== segment) {
        await handle?.close();
        handle = null;
        of = segment;
        handle = await openIfPresent(segment);
      }
      payloads.push(handle === null ? null : await payload(handle, offset, length));
    }
  } finally {
    await handle?.close();
  }
  return payloads;
}

async function payload(handle: FileHandle, offset: number, length: number): Promise<string> {
  const buffer = Buffer.allocUnsafe(length);
  await handle.read(buffer, 0, length, offset);
  return buffer.toString('utf8');
}

async function openIfPresent(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}
