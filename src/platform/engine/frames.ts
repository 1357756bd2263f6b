import { deserialize, serialize } from 'node:v8';
import { assert } from '../../base/assert.ts';
import type { ErrorBody } from '../../base/errors.ts';

/** What main and the engine say to each other over their socket. */
export type EngineMessage =
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'run'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'done'; readonly id: number; readonly output: unknown }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly error: ErrorBody;
      readonly log: string;
    }
  /** Asks for a sign of life, `pong`; whatever the engine says is one. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'stop' };

/** One message's size: a page of rows or an NDJSON batch, with room; past it something is wrong. */
export const FRAME_BYTES_MAX = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** A message as bytes: its length (uint32, little endian), then the structured clone of it. */
export function encodeFrame(message: EngineMessage): Buffer {
  const body = serialize(message);
  assert(body.length <= FRAME_BYTES_MAX, `engine message of ${body.length} bytes`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Turns a socket's chunks back into messages; keeps chunks apart until a message is whole. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;
  #wanted = LENGTH_BYTES;
  #inBody = false;

  push(chunk: Buffer): EngineMessage[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: EngineMessage[] = [];
    while (this.#buffered >= this.#wanted) {
      const part = this.#take(this.#wanted);
      if (this.#inBody) {
        messages.push(deserialize(part) as EngineMessage);
        this.#wanted = LENGTH_BYTES;
      } else {
        this.#wanted = part.readUInt32LE(0);
        assert(this.#wanted <= FRAME_BYTES_MAX, `engine message of ${this.#wanted} bytes`);
      }
      this.#inBody = !this.#inBody;
    }
    return messages;
  }

  #take(length: number): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = all.length === length ? [] : [all.subarray(length)];
    this.#buffered -= length;
    return all.subarray(0, length);
  }
}
