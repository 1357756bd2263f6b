import { AppError } from '../../base/errors.ts';
import { APPEND_BYTES_MAX } from './contract.ts';

/** Bytes of all appends under way: they stay in memory until the engine has written them. */
const BUFFERED_BYTES_MAX = 4 * APPEND_BYTES_MAX;

/** Holds the bodies of appends, within a limit for each and for all together. */
export class AppendBuffer {
  #held = 0;

  /** Collects the bytes and keeps them for the duration of the action. */
  async use<T>(
    bytes: AsyncIterable<Uint8Array>,
    action: (body: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of bytes) {
        size += chunk.length;
        this.#held += chunk.length;
        if (size > APPEND_BYTES_MAX) throw tooLarge();
        if (this.#held > BUFFERED_BYTES_MAX) throw overloaded();
        chunks.push(chunk);
      }
      return await action(Buffer.concat(chunks));
    } finally {
      this.#held -= size;
    }
  }
}

function tooLarge(): AppError {
  const mebibytes = APPEND_BYTES_MAX / 1024 ** 2;
  return new AppError('BODY_TOO_LARGE', `An append may have ${mebibytes} MiB at most.`, {
    hint: 'Split the rows into several appends, each with a batch id of its own.',
  });
}

function overloaded(): AppError {
  return new AppError('OVERLOADED', 'Too many appends are under way.', {
    hint: 'Repeat this one later.',
  });
}
