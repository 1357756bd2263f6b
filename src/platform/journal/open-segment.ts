import { writeSync } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { encodeHeader, HEADER_BYTES, type SegmentHeader } from './segment.ts';

/** A segment file that records are written to. */
export interface OpenSegment {
  readonly path: string;
  readonly handle: FileHandle;
  readonly firstSeq: number;
  nextSeq: number;
  size: number;
}

/** Creates the file of a segment, durably: its numbers may be used on return. */
export async function createSegment(folder: string, header: SegmentHeader): Promise<OpenSegment> {
  const { writer, firstSeq } = header;
  const file = path.join(folder, `${writer}.${String(firstSeq).padStart(15, '0')}.seg`);
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(encodeHeader(header));
    await handle.sync();
    await syncFolder(folder);
  } catch (thrown) {
    await handle.close();
    // A full disk: what is there of the file must not be in the way of the next try.
    await unlink(file);
    throw thrown;
  }
  return { path: file, handle, firstSeq, nextSeq: firstSeq, size: HEADER_BYTES };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes everything at the given file offset or throws; a short write is a full disk. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const written = writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (written === 0) throw new AppError('DISK_FULL', 'The journal could not be written.');
    done += written;
  }
}
