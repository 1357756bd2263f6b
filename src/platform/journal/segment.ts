import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';

/**
 * The bytes of a journal segment. A header of 64 bytes, then frames:
 *
 *   header  magic(8) format(u16) writer(32, ASCII, zero padded) firstSeq(u48) reserved(u32)
 * crc(u32)
 *   frame   length(u32) crc(u32) seq(u48) kind(u16) payload(length bytes, UTF-8)
 *
 * All integers are little endian; a frame's crc32 covers everything after it. Sequence numbers of a
 * segment lie in [firstSeq, firstSeq + reserved), and the next segment starts where the reservation
 * ends: after a power loss the records that may be missing are known by number.
 */
const MAGIC = 'MWJOURNL';
const FORMAT = 1;
export const HEADER_BYTES = 64;
export const FRAME_HEADER_BYTES = 16;
/** One record; the caller cuts long bodies well before this. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024;

export const RecordKind = { prediction: 1, label: 2, end: 0xffff } as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export interface SegmentHeader {
  /** Which journal wrote it: the stream of the exactly-once appends. */
  readonly writer: string;
  readonly firstSeq: number;
  readonly reserved: number;
}

export interface JournalRecord {
  readonly seq: number;
  readonly kind: number;
  /** Byte offset of the payload in the segment. */
  readonly offset: number;
  readonly payload: string;
}

export interface Segment {
  readonly header: SegmentHeader;
  readonly records: readonly JournalRecord[];
  /**
   * `clean`: closed by an end frame. `open`: stops after a whole frame. `torn`: stops inside one.
   */
  readonly tail: 'clean' | 'open' | 'torn';
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(FORMAT, 8);
  assert(header.writer.length <= 32, 'journal writer name too long');
  bytes.write(header.writer, 10, 'latin1');
  bytes.writeUIntLE(header.firstSeq, 42, 6);
  bytes.writeUInt32LE(header.reserved, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/**
 * Null for a file that a crash left while it was made: it never held a record. Of a longer file
 * `bytes` may be the start, which goes at least a byte beyond the header.
 */
export function decodeHeader(bytes: Buffer, path: string): SegmentHeader | null {
  const isWhole =
    bytes.length >= HEADER_BYTES &&
    bytes.toString('latin1', 0, 8) === MAGIC &&
    bytes.readUInt32LE(60) === crc32(bytes.subarray(0, 60));
  if (!isWhole && bytes.length <= HEADER_BYTES) return null;
  if (!isWhole) throw new AppError('TABLE_CORRUPT', `${path} has no valid journal header.`);
  const format = bytes.readUInt16LE(8);
  if (format !== FORMAT) {
    throw new AppError('STATE_NEWER', `${path} has journal format ${format}.`, {
      hint: `This Millwright reads format ${FORMAT}; use the version that wrote it.`,
    });
  }
  return {
    writer: bytes.toString('latin1', 10, 42).replaceAll('\0', ''),
    firstSeq: bytes.readUIntLE(42, 6),
    reserved: bytes.readUInt32LE(48),
  };
}

/**
 * Writes one frame into `target` at `offset`, whose payload (of `length` bytes) is already there.
 */
export function sealFrame(
  target: Buffer,
  frame: {
    readonly offset: number;
    readonly length: number;
    readonly seq: number;
    readonly kind: number;
  },
): void {
  const { offset, length, seq, kind } = frame;
  target.writeUInt32LE(length, offset);
  target.writeUIntLE(seq, offset + 8, 6);
  target.writeUInt16LE(kind, offset + 14);
  const covered = target.subarray(offset + 8, offset + FRAME_HEADER_BYTES + length);
  target.writeUInt32LE(crc32(covered), offset + 4);
}

/** The frame that says: nothing is missing after `lastSeq`. */
export function encodeEnd(lastSeq: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  sealFrame(frame, { offset: 0, length: 0, seq: lastSeq, kind: RecordKind.end });
  return frame;
}

/**
 * Reads a segment up to its end or its first broken frame. A file without a whole header and with
 * nothing behind it (a crash while it was made) reads as null: it never held a record.
 */
export function decodeSegment(bytes: Buffer, path: string): Segment | null {
  const header = decodeHeader(bytes, path);
  if (header === null) return null;
  const records: JournalRecord[] = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const frame = frameAt(bytes, at);
    if (typeof frame !== 'object') return { header, records, tail: 'torn' };
    if (frame.kind === RecordKind.end) return { header, records, tail: 'clean' };
    const offset = at + FRAME_HEADER_BYTES;
    const { seq, kind, end } = frame;
    records.push({ seq, kind, offset, payload: bytes.toString('utf8', offset, end) });
    at = end;
  }
  return { header, records, tail: 'open' };
}

/** The frame at an offset, `cut` when `bytes` end inside it, or `broken`. */
export function frameAt(
  bytes: Buffer,
  at: number,
): { readonly end: number; readonly seq: number; readonly kind: number } | 'cut' | 'broken' {
  if (at + FRAME_HEADER_BYTES > bytes.length) return 'cut';
  const length = bytes.readUInt32LE(at);
  if (length > RECORD_BYTES_MAX) return 'broken';
  const end = at + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return 'cut';
  if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, end))) return 'broken';
  return { end, seq: bytes.readUIntLE(at + 8, 6), kind: bytes.readUInt16LE(at + 14) };
}
