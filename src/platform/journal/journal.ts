import { ftruncateSync } from 'node:fs';
import { mkdir, unlink } from 'node:fs/promises';
import { AppError, toAppError } from '../../base/errors.ts';
import type { Faults } from '../fault-points.ts';
import type { Log } from '../log/log.ts';
import { every, randomToken } from '../system.ts';
import { createSegment, writeAll, type OpenSegment } from './open-segment.ts';
import { readRecords, type Position } from './read-records.ts';
import { recoverSegments } from './recover-segments.ts';
import { SealedSegments } from './sealed-segments.ts';
import {
  encodeEnd,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  RECORD_BYTES_MAX,
  sealFrame,
  type RecordKind,
} from './segment.ts';

/** A power loss may take at most what was written in this time. */
const SYNC_INTERVAL_MS = 50;
/** A segment is read whole by the engine, so it stays well under the engine's memory limit. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** What waits for its table at most, when nothing else is said: hours of busy traffic. */
export const JOURNAL_BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** Sequence numbers one segment may use; also its records at most. */
export const SEQS_PER_SEGMENT = 1_000_000;
const BATCH_BYTES_START = 1024 * 1024;

interface Waiter {
  readonly position: Position;
  readonly resolve: (position: Position) => void;
  readonly reject: (error: Error) => void;
}

export interface JournalOptions {
  readonly folder: string;
  /** Name of the writing process (`main`, `gateway-2`): each has a journal of its own. */
  readonly writer: string;
  readonly log: Log;
  readonly faults: Faults;
  readonly segmentBytesMax?: number;
  /** All segments together: what `assertRoom` goes by. */
  readonly bytesMax?: number;
}

/**
 * An append-only log of text records, written by one process. All records of an event-loop turn
 * leave in one `write`, before their promises resolve: a killed process loses nothing it has
 * confirmed. `fdatasync` follows off the thread within 50 ms; `durable()` waits for it.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #segmentBytesMax: number;
  /** Bytes at which nothing more is to be appended. */
  readonly bytesMax: number;
  #writer = '';
  #current: OpenSegment | null = null;
  #spare: Promise<OpenSegment> | null = null;
  #readySpare: OpenSegment | null = null;
  readonly #sealed = new SealedSegments();
  #batch = Buffer.allocUnsafe(BATCH_BYTES_START);
  #batchBytes = 0;
  #waiters: Waiter[] = [];
  #isScheduled = false;
  #isDirty = false;
  #syncing: Promise<void> | null = null;
  #closing = new Set<Promise<void>>();
  #stopSyncing: () => void = () => undefined;

  private constructor(options: JournalOptions) {
    this.#options = options;
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    this.bytesMax = options.bytesMax ?? JOURNAL_BYTES_MAX;
  }

  /** Opens the folder, keeping what a former process left behind as sealed segments. */
  static async open(options: JournalOptions): Promise<Journal> {
    const journal = new Journal(options);
    await mkdir(options.folder, { recursive: true });
    const firstSeq = await journal.#recover();
    const first = await journal.#create(firstSeq);
    journal.#current = first;
    journal.#prepareSpare(first).catch(() => undefined);
    journal.#stopSyncing = every(SYNC_INTERVAL_MS, () => {
      if (journal.#isDirty) journal.#sync().catch(() => undefined);
    });
    return journal;
  }

  /** Identifies this journal in the tables it is flushed to. */
  get writer(): string {
    return this.#writer;
  }

  /** Bytes of records not yet released, of all segments. */
  get bytes(): number {
    return this.#sealed.bytes + this.#open().size - HEADER_BYTES + this.#batchBytes;
  }

  /** Files that hold records. */
  get segments(): number {
    const { nextSeq, firstSeq } = this.#open();
    return this.#sealed.count + (nextSeq > firstSeq ? 1 : 0);
  }

  /**
   * Throws `LOG_FULL` when the journal has no room for more: what is acknowledged is never dropped
   * for it. To be asked before records that belong together are appended.
   */
  assertRoom(): void {
    if (this.bytes < this.bytesMax) return;
    throw new AppError('LOG_FULL', `The journal holds ${this.bytes} bytes, all that it may.`, {
      hint:
        'Its records cannot be put into their tables; GET /health says why. Raise ' +
        '`journal.limit_bytes` only if the disk has room.',
    });
  }

  /** Resolves once the record is in the operating system's hands, at the end of this loop turn. */
  append(kind: RecordKind, payload: string): Promise<Position> {
    const most = FRAME_HEADER_BYTES + payload.length * 3;
    this.#reserve(most);
    const start = this.#batchBytes;
    const length = this.#batch.write(payload, start + FRAME_HEADER_BYTES, 'utf8');
    if (length > RECORD_BYTES_MAX) {
      throw new AppError('BODY_TOO_LARGE', `A journal record of ${length} bytes is too long.`);
    }
    const segment = this.#roomySegment();
    const seq = segment.nextSeq++;
    sealFrame(this.#batch, { offset: start, length, seq, kind });
    this.#batchBytes = start + FRAME_HEADER_BYTES + length;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#write());
    }
    const offset = segment.size + start + FRAME_HEADER_BYTES;
    return new Promise((resolve, reject) => {
      const position = { segment: segment.path, offset, length, seq };
      this.#waiters.push({ position, resolve, reject });
    });
  }

  /** Resolves when everything written so far would survive a power loss. */
  async durable(): Promise<void> {
    const isCovered = !this.#isDirty;
    if (this.#syncing !== null) await this.#syncing;
    // The one that was under way may have begun before the last write; another caller that waited
    // for it may have begun the next.
    if (!isCovered) await (this.#isDirty ? this.#sync() : this.#syncing);
    await Promise.all(this.#closing);
  }

  /** The payload of a record whose segment has not been released; null when it has. */
  async read(position: Position): Promise<string | null> {
    const [payload] = await readRecords([position]);
    return payload ?? null;
  }

  /** As `read` for each of them, in their order; many of one segment cost little. */
  async readAll(positions: readonly Position[]): Promise<readonly (string | null)[]> {
    return readRecords(positions);
  }

  /** Closes the current segment if it holds records, and names every sealed one, oldest first. */
  async seal(): Promise<readonly string[]> {
    if (this.#waiters.length > 0) this.#write();
    const current = this.#open();
    if (current.nextSeq > current.firstSeq) {
      const next = this.#readySpare ?? (await this.#prepareSpare(current));
      // Records that came while this waited have numbers and places in the current segment; writing
      // them may fill and end it, and another seal may have ended it too.
      if (this.#waiters.length > 0) this.#write();
      if (this.#current === current) this.#rotate(next);
    }
    await Promise.allSettled(this.#closing);
    return this.#sealed.files;
  }

  /** Forgets sealed segments that are safe elsewhere; their files may already be gone. */
  release(segments: readonly string[]): void {
    this.#sealed.release(segments);
  }

  async close(): Promise<void> {
    this.#stopSyncing();
    if (this.#waiters.length > 0) this.#write();
    const current = this.#open();
    this.#end(current);
    await Promise.allSettled(this.#closing);
    const spare = await this.#spare?.catch(() => null);
    if (spare) {
      await spare.handle.close();
      await unlink(spare.path);
    }
  }

  #open(): OpenSegment {
    if (this.#current === null) throw new AppError('STOPPING', 'The journal is closed.');
    return this.#current;
  }

  async #recover(): Promise<number> {
    const { folder, writer, log } = this.#options;
    const found = await recoverSegments({ folder, writer, sealed: this.#sealed, log });
    // An empty folder starts a new stream, so that no table takes its numbers for old ones.
    this.#writer = found.writer ?? `${writer}-${randomToken(4)}`;
    return found.firstSeq;
  }

  async #create(firstSeq: number): Promise<OpenSegment> {
    const { folder, faults } = this.#options;
    const header = { writer: this.#writer, firstSeq, reserved: SEQS_PER_SEGMENT };
    const segment = await createSegment(folder, header);
    faults.hit('journal.segment-created');
    return segment;
  }

  /** Makes the successor ahead of time, because creating a file durably takes milliseconds. */
  #prepareSpare(current: OpenSegment): Promise<OpenSegment> {
    this.#spare ??= this.#create(current.firstSeq + SEQS_PER_SEGMENT).then(
      (spare) => {
        this.#readySpare = spare;
        return spare;
      },
      (thrown: unknown) => {
        this.#spare = null;
        this.#options.log.error('journal.spare.failed', { error: toAppError(thrown).message });
        throw thrown;
      },
    );
    return this.#spare;
  }

  /** The segment for the next record: the current one, or its successor when that is full. */
  #roomySegment(): OpenSegment {
    const current = this.#open();
    const isFull = current.nextSeq === current.firstSeq + SEQS_PER_SEGMENT;
    if (isFull) {
      throw new AppError('OVERLOADED', 'The journal waits for its next segment.', {
        hint: 'The disk is slow or full; try again in a moment.',
      });
    }
    return current;
  }

  #reserve(bytes: number): void {
    const wanted = this.#batchBytes + bytes;
    if (wanted <= this.#batch.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#batch.length * 2));
    this.#batch.copy(larger, 0, 0, this.#batchBytes);
    this.#batch = larger;
  }

  #write(): void {
    this.#isScheduled = false;
    // Sealing and closing write at once; what they left scheduled finds nothing, even no segment.
    if (this.#waiters.length === 0) return;
    const { faults } = this.#options;
    const segment = this.#open();
    const waiters = this.#waiters;
    const bytes = this.#batch.subarray(0, this.#batchBytes);
    this.#waiters = [];
    this.#batchBytes = 0;
    faults.hit('journal.before-write');
    try {
      writeAll(segment.handle.fd, bytes, segment.size);
    } catch (thrown) {
      this.#dropTail(segment, waiters.length);
      const error = toAppError(thrown);
      for (const waiter of waiters) waiter.reject(error);
      return;
    }
    segment.size += bytes.length;
    this.#isDirty = true;
    faults.hit('journal.after-write');
    for (const waiter of waiters) waiter.resolve(waiter.position);
    const isFull =
      segment.size >= this.#segmentBytesMax ||
      segment.nextSeq >= segment.firstSeq + SEQS_PER_SEGMENT;
    if (isFull && this.#readySpare !== null) this.#rotate(this.#readySpare);
  }

  /** After a failed write: nothing of the batch stays, and its numbers are free again. */
  #dropTail(segment: OpenSegment, records: number): void {
    segment.nextSeq -= records;
    try {
      ftruncateSync(segment.handle.fd, segment.size);
    } catch (thrown) {
      this.#options.log.error('journal.truncate.failed', { error: toAppError(thrown).message });
    }
  }

  #rotate(next: OpenSegment): void {
    this.#end(this.#open());
    this.#current = next;
    this.#isDirty = false;
    this.#readySpare = null;
    this.#spare = null;
    this.#prepareSpare(next).catch(() => undefined);
  }

  #end(segment: OpenSegment): void {
    this.#current = null;
    try {
      writeAll(segment.handle.fd, encodeEnd(segment.nextSeq - 1), segment.size);
    } catch {
      // Without its end frame the segment reads as `open`, which loses nothing.
    }
    this.#sealed.add(segment.path, segment.size);
    const closed = this.#syncAndClose(segment).finally(() => this.#closing.delete(closed));
    // Whoever asks for durability is told; for the others the log has it.
    closed.catch(() => undefined);
    this.#closing.add(closed);
  }

  async #syncAndClose(segment: OpenSegment): Promise<void> {
    try {
      await segment.handle.datasync();
      this.#options.faults.hit('journal.segment-sealed');
    } catch (thrown) {
      const error = toAppError(thrown);
      this.#options.log.error('journal.sync.failed', { error: error.message });
      throw error;
    } finally {
      await segment.handle.close();
    }
  }

  #sync(): Promise<void> {
    if (this.#syncing !== null) return this.#syncing;
    this.#isDirty = false;
    const done = this.#open()
      .handle.datasync()
      .then(
        () => {
          this.#syncing = null;
          return undefined;
        },
        (thrown: unknown) => {
          this.#syncing = null;
          this.#isDirty = true;
          const error = toAppError(thrown);
          this.#options.log.error('journal.sync.failed', { error: error.message });
          throw error;
        },
      );
    this.#syncing = done;
    return done;
  }
}
