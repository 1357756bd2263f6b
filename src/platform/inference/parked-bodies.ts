import { AppError, toAppError, type ErrorBody } from '../../base/errors.ts';
import { readBody } from '../../formats/oip/read-body.ts';
import type { InferEnvelope, RequestHead } from '../../formats/oip/read-request.ts';

/** What main is told of a body: enough to route it and to log what is wrong with it. */
export interface ParkedHead {
  readonly body: number;
  readonly isJson: boolean;
  readonly head: RequestHead | null;
  readonly error: ErrorBody | null;
}

/** Bodies that this thread has read and whose answer main has not asked for yet. */
export class ParkedBodies {
  readonly #envelopes = new Map<number, InferEnvelope>();
  #next = 1;

  park(bytes: Uint8Array): ParkedHead {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const { isJson, envelope, error } = readBody(text);
    const body = this.#next++;
    if (envelope === null) return { body, isJson, head: null, error: toAppError(error).toBody() };
    this.#envelopes.set(body, envelope);
    const { id, parameters } = envelope;
    return { body, isJson, head: { id, parameters }, error: null };
  }

  require(body: number): InferEnvelope {
    const envelope = this.#envelopes.get(body);
    if (envelope !== undefined) return envelope;
    throw new AppError('INTERNAL', `No request body ${body} is parked.`);
  }

  drop(body: number): void {
    this.#envelopes.delete(body);
  }
}
