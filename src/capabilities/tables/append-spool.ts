import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { PARQUET_BYTES_MAX } from './contract.ts';

interface Limits {
  /** Bytes of one body. */
  readonly each: number;
  /** Bytes of all bodies that are held at once. */
  readonly all: number;
}

const LIMITS: Limits = { each: PARQUET_BYTES_MAX, all: 4 * PARQUET_BYTES_MAX };

/**
 * Holds the Parquet bodies of appends in files, within a limit for each and for all together:
 * Parquet is read from its end, so a body must be complete before anything can be said of it.
 */
export class AppendSpool {
  readonly #folder: string;
  readonly #ids: Ids;
  readonly #limits: Limits;
  #held = 0;
  #ready: Promise<void> | null = null;

  constructor(options: { readonly folder: string; readonly ids: Ids; readonly limits?: Limits }) {
    this.#folder = options.folder;
    this.#ids = options.ids;
    this.#limits = options.limits ?? LIMITS;
  }

  /** Writes the bytes to a file and keeps it for the duration of the action. */
  async use<T>(
    bytes: AsyncIterable<Uint8Array>,
    action: (body: { readonly parquetPath: string }) => Promise<T>,
  ): Promise<T> {
    await (this.#ready ??= this.#prepare());
    const parquetPath = path.join(this.#folder, `${this.#ids.next('tmp')}.parquet`);
    let size = 0;
    try {
      const file = await open(parquetPath, 'wx', 0o600);
      try {
        for await (const chunk of bytes) {
          size += chunk.length;
          this.#held += chunk.length;
          if (size > this.#limits.each) throw tooLarge(this.#limits.each);
          if (this.#held > this.#limits.all) throw overloaded();
          await file.write(chunk);
        }
      } finally {
        await file.close();
      }
      return await action({ parquetPath });
    } finally {
      this.#held -= size;
      await rm(parquetPath, { force: true });
    }
  }

  /** What a crash left is of no use: its appends were not answered, and are sent again whole. */
  async #prepare(): Promise<void> {
    try {
      await rm(this.#folder, { recursive: true, force: true });
      await mkdir(this.#folder, { recursive: true });
    } catch (error) {
      this.#ready = null;
      throw error;
    }
  }
}

function tooLarge(bytesMax: number): AppError {
  const mebibytes = bytesMax / 1024 ** 2;
  return new AppError('BODY_TOO_LARGE', `A Parquet append may have ${mebibytes} MiB at most.`, {
    hint: 'Split the rows into several appends, each with a batch id of its own.',
  });
}

function overloaded(): AppError {
  return new AppError('OVERLOADED', 'Too many appends are under way.', {
    hint: 'Repeat this one later.',
  });
}
