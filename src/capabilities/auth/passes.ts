import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppError } from '../../base/errors.ts';
import { MICROS_PER_MS, type Clock } from '../../base/time.ts';
import { replaceFile } from '../../platform/exec/durable-file.ts';

/**
 * Passes are what this workspace hands out itself, signed and with an end, so that nothing about
 * them needs to be kept: a browser's session stands for the token it was begun with, a step of a
 * pipeline outlives the server that started it.
 */
export type PassKind = 'session' | 'step';

export interface Pass {
  readonly kind: PassKind;
  /** Of a session, the token's id; of a step, the attempt. */
  readonly subject: string;
}

const LETTERS: Readonly<Record<PassKind, string>> = { session: 's', step: 'k' };
const KEY_BYTES = 32;
const PASS = /^mw([sk])_(\w{1,100})_([0-9a-z]{1,12})_([0-9a-f]{64})$/;

export class Passes {
  readonly #key: Buffer;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(key: Buffer, clock: Pick<Clock, 'wall'>) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Tells this workspace's passes from another's; says nothing of the key. */
  get keyId(): string {
    return createHash('sha256').update(this.#key).digest('hex').slice(0, 8);
  }

  sign({ kind, subject }: Pass, lifetimeMs: number): string {
    const until = Math.ceil(this.#nowMs() + lifetimeMs).toString(36);
    const content = `mw${LETTERS[kind]}_${subject}_${until}`;
    return `${content}_${this.#signature(content).toString('hex')}`;
  }

  /** Null unless it was signed here and has not ended. */
  read(text: string): Pass | null {
    const [, letter, subject, until, signature] = PASS.exec(text) ?? [];
    if (subject === undefined || until === undefined || signature === undefined) return null;
    const expected = this.#signature(text.slice(0, text.lastIndexOf('_')));
    if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return null;
    if (Number.parseInt(until, 36) <= this.#nowMs()) return null;
    return { kind: letter === LETTERS.session ? 'session' : 'step', subject };
  }

  #nowMs(): number {
    return this.#clock.wall() / MICROS_PER_MS;
  }

  #signature(content: string): Buffer {
    return createHmac('sha256', this.#key).update(content).digest();
  }
}

/** The key in the file, which only the user of the server may read; made when there is none. */
export async function openPassKey(file: string): Promise<Buffer> {
  const found = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.length === KEY_BYTES) return found;
  if (found !== null) {
    throw new AppError('STATE_UNWRITABLE', `${file} is not a key of ${KEY_BYTES} bytes.`, {
      hint: 'Remove it: browsers then sign in again, and steps that run lose their access.',
    });
  }
  const key = randomBytes(KEY_BYTES);
  await replaceFile(file, key, 0o600);
  return key;
}
