import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';

export interface FileHash {
  /** What DVC knows a file by. */
  readonly md5: string;
  /** What audits accept. */
  readonly sha256: string;
  readonly size: number;
  readonly isExecutable: boolean;
}

interface Known extends FileHash {
  readonly stamp: string;
}

/** Files remembered; past it the longest unused are forgotten and read again. */
const REMEMBERED_MAX = 500_000;
const CHUNK_BYTES = 1024 * 1024;
/** A file written to this shortly before it was read may change again within one clock tick. */
const SETTLED_NS = 50_000_000n;

/**
 * Hashes of files, remembered by inode, size and times, so that a file that did not change is not
 * read again while this process lives.
 */
export class FileHashes {
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'wall'>) {
    this.#clock = clock;
  }

  /** Rejects when the file is not there; with `STAGE_FAILED` when it changes while it is read. */
  async hash(file: string, signal: AbortSignal): Promise<FileHash> {
    const before = await stat(file, { bigint: true });
    const stamp = stampOf(before);
    const known = this.#known.get(file);
    if (known?.stamp === stamp) {
      this.#known.delete(file);
      this.#known.set(file, known);
      return known;
    }
    const hashes = [createHash('md5'), createHash('sha256')];
    const stream = createReadStream(file, { highWaterMark: CHUNK_BYTES, signal });
    for await (const chunk of stream) for (const hash of hashes) hash.update(chunk as Buffer);
    const [md5, sha256] = hashes.map((hash: Hash) => hash.digest('hex'));
    const hashed: Known = {
      stamp,
      md5: md5!,
      sha256: sha256!,
      size: Number(before.size),
      isExecutable: (before.mode & 0o111n) !== 0n,
    };
    const now = BigInt(this.#clock.wall()) * 1000n;
    const isSettled = now - before.ctimeNs > SETTLED_NS;
    if (stampOf(await stat(file, { bigint: true })) !== stamp) throw stillWritten(file);
    if (isSettled) this.#remember(file, hashed);
    return hashed;
  }

  #remember(file: string, hashed: Known): void {
    this.#known.delete(file);
    this.#known.set(file, hashed);
    const oldest = this.#known.keys().next();
    if (this.#known.size > REMEMBERED_MAX && !oldest.done) this.#known.delete(oldest.value);
  }
}

/** A hash of it would be of what it never was. */
export function stillWritten(file: string): AppError {
  return new AppError('STAGE_FAILED', `${file} changed while it was read.`, {
    hint: 'Run again when nothing writes it; a stage ends when all it started has ended.',
  });
}

function stampOf(found: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
