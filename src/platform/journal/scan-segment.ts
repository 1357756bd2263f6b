import { open, type FileHandle } from 'node:fs/promises';
import {
  decodeHeader,
  frameAt,
  HEADER_BYTES,
  RecordKind,
  type Segment,
  type SegmentHeader,
} from './segment.ts';

/** Read at a time; a longer record is gathered. */
const PIECE_BYTES = 1024 * 1024;

/** What a segment holds, without its records. */
export interface SegmentSummary {
  readonly header: SegmentHeader;
  readonly records: number;
  /** Of the last whole record; null when there is none. */
  readonly lastSeq: number | null;
  readonly tail: Segment['tail'];
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Goes through a segment as `decodeSegment` does, in pieces: at a start there may be many, and
 * nobody wants their records yet. Null for a file that never held a record.
 */
export async function scanSegment(file: string): Promise<SegmentSummary | null> {
  const handle = await open(file, 'r');
  try {
    const start = Buffer.alloc(HEADER_BYTES + 1);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    const header = decodeHeader(start.subarray(0, bytesRead), file);
    if (header === null) return null;
    const { size } = await handle.stat();
    return { header, bytes: size, ...(await scanFrames(handle)) };
  } finally {
    await handle.close();
  }
}

async function scanFrames(
  handle: FileHandle,
): Promise<Pick<SegmentSummary, 'records' | 'lastSeq' | 'tail'>> {
  let bytes = Buffer.alloc(0);
  let position = HEADER_BYTES;
  let records = 0;
  let lastSeq: number | null = null;
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, position);
    position += bytesRead;
    bytes = Buffer.concat([bytes, piece.subarray(0, bytesRead)]);
    let at = 0;
    let frame = frameAt(bytes, at);
    while (typeof frame === 'object') {
      if (frame.kind === RecordKind.end) return { records, lastSeq, tail: 'clean' };
      records += 1;
      lastSeq = frame.seq;
      at = frame.end;
      frame = frameAt(bytes, at);
    }
    bytes = bytes.subarray(at);
    if (frame === 'broken') return { records, lastSeq, tail: 'torn' };
    if (bytesRead === 0) return { records, lastSeq, tail: bytes.length === 0 ? 'open' : 'torn' };
  }
}
