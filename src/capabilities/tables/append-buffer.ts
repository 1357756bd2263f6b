import type { AppendSpool } from './append-spool.ts';

/**
 * A body up to this stays in memory and is sent along with the task: joining and sending takes
 * about a millisecond. A longer one goes to the engine as a file, because sending megabytes holds
 * the event loop for many.
 */
export const IN_MEMORY_BYTES_MAX = 256 * 1024;

/** NDJSON as the engine gets it. */
export type NdjsonBody = { readonly ndjson: Uint8Array } | { readonly ndjsonPath: string };

/** Holds the NDJSON bodies of appends for as long as they are needed. */
export class AppendBuffer {
  readonly #spool: AppendSpool;

  constructor(spool: AppendSpool) {
    this.#spool = spool;
  }

  /** Collects the bytes and keeps them for the duration of the action. */
  async use<T>(
    bytes: AsyncIterable<Uint8Array>,
    action: (body: NdjsonBody) => Promise<T>,
  ): Promise<T> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const rest = bytes[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await rest.next();
      if (done === true) return await action({ ndjson: Buffer.concat(chunks) });
      chunks.push(value);
      size += value.length;
      if (size > IN_MEMORY_BYTES_MAX) break;
    }
    return await this.#spool.use(continued(chunks, rest), (ndjsonPath) => action({ ndjsonPath }));
  }
}

async function* continued(
  chunks: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    for (;;) {
      const { done, value } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
