import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { APPEND_BYTES_MAX, PARQUET_BYTES_MAX } from './contract.ts';

interface Limits {
  /** Bytes of one body. */
  readonly each: number;
  /** Bytes of all bodies that are held at once. */
  readonly all: number;
}

/** What a file of each kind is called in messages, and how long it may be. */
const KINDS = {
  parquet: { noun: 'A Parquet append', each: PARQUET_BYTES_MAX },
  ndjson: { noun: 'An append', each: APPEND_BYTES_MAX },
} as const;

/**
 * Holds the bodies of appends in files, within a limit for each and for all together. Parquet is
 * read from its end, so a body must be complete before anything can be said of it; NDJSON that is
 * long would hold the event loop on its way to the engine.
 */
export class AppendSpool {
  readonly #folder: string;
  readonly #kind: keyof typeof KINDS;
  readonly #ids: Ids;
  readonly #limits: Limits;
  #held = 0;
  #ready: Promise<void> | null = null;

  /** The folder is the spool's own: what lies there before the first use is removed. */
  constructor(options: {
    readonly folder: string;
    readonly kind: keyof typeof KINDS;
    readonly ids: Ids;
    readonly limits?: Limits;
  }) {
    this.#folder = options.folder;
    this.#kind = options.kind;
    this.#ids = options.ids;
    const { each } = KINDS[options.kind];
    this.#limits = options.limits ?? { each, all: 4 * each };
  }

  /** Writes the bytes to a file and keeps it for the duration of the action. */
  async use<T>(bytes: AsyncIterable<Uint8Array>, action: (file: string) => Promise<T>): Promise<T> {
    await (this.#ready ??= this.#prepare());
    const name = path.join(this.#folder, `${this.#ids.next('tmp')}.${this.#kind}`);
    let size = 0;
    try {
      const file = await open(name, 'wx', 0o600);
      try {
        for await (const chunk of bytes) {
          size += chunk.length;
          this.#held += chunk.length;
          if (size > this.#limits.each) throw this.#tooLarge();
          if (this.#held > this.#limits.all) throw overloaded();
          await file.write(chunk);
        }
      } finally {
        await file.close();
      }
      return await action(name);
    } finally {
      this.#held -= size;
      await rm(name, { force: true });
    }
  }

  #tooLarge(): AppError {
    const { noun } = KINDS[this.#kind];
    const mebibytes = this.#limits.each / 1024 ** 2;
    return new AppError('BODY_TOO_LARGE', `${noun} may have ${mebibytes} MiB at most.`, {
      hint: 'Split the rows into several appends, each with a batch id of its own.',
    });
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

function overloaded(): AppError {
  return new AppError('OVERLOADED', 'Too many appends are under way.', {
    hint: 'Repeat this one later.',
  });
}
