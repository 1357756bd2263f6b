import { AppError } from '../../base/errors.ts';
import { readBody } from '../../formats/oip/read-body.ts';
import type { InferEnvelope, RequestHead } from '../../formats/oip/read-request.ts';
import type { AnswerFrame, AnswerJson, Inference } from '../../platform/inference/port.ts';
import { LOGGED_BODY_CHARS_MAX } from '../predictions/contract.ts';
import type { WarmModel } from './warm-models.ts';

/** The body of an inference request, read: here, or in the worker when it is long. */
export interface InferBody {
  /** What routing needs; null when the body is no request. */
  readonly head: RequestHead | null;
  readonly error: AppError | null;
  /** As the log keeps it, JSON text; null when it is too long for that. */
  readonly logged: string | null;
  /** Checks the tensors against the model (`INVALID_TENSOR`); the result runs it. */
  prepare(warm: WarmModel): (frame: AnswerFrame) => Promise<AnswerJson>;
  /** All of it, for features to be joined; `BODY_TOO_LARGE` when another thread has read it. */
  envelope(): InferEnvelope;
  /** Lets go of what another thread keeps of it. */
  release(): void;
}

const CHARS_LOGGED_WHEN_BROKEN = 4096;
/** UTF-8 takes at most this many bytes for one of JavaScript's characters. */
const BYTES_PER_CHAR_MAX = 3;

export function textBody(text: string): InferBody {
  const { isJson, envelope, error } = readBody(text);
  return {
    head: envelope,
    error,
    logged: isJson ? text : broken(text),
    prepare: (warm) => {
      if (envelope === null) throw error;
      const request = warm.read(envelope);
      return (frame) => warm.loaded.answer(request, frame);
    },
    envelope: () => {
      if (envelope === null) throw error;
      return envelope;
    },
    release: () => undefined,
  };
}

/** Hands the bytes (UTF-8) to the worker. */
export async function parkedBody(
  bytes: Buffer,
  inference: Pick<Inference, 'park'>,
): Promise<InferBody> {
  // Afterwards they are the worker's.
  const text = bytes.length <= LOGGED_BODY_CHARS_MAX ? bytes.toString('utf8') : null;
  const start = bytes.toString('utf8', 0, CHARS_LOGGED_WHEN_BROKEN * BYTES_PER_CHAR_MAX);
  const parked = await inference.park(bytes);
  return {
    head: parked.envelope,
    error: parked.error,
    logged: parked.isJson ? text : broken(start),
    prepare: (warm) => (frame) => warm.loaded.answerParked(parked, frame),
    envelope: () => {
      throw new AppError('BODY_TOO_LARGE', 'The body is too long for features to be joined.', {
        hint: 'Send several requests with fewer rows each.',
      });
    },
    release: () => {
      parked.release();
    },
  };
}

function broken(text: string): string {
  return JSON.stringify(text.slice(0, CHARS_LOGGED_WHEN_BROKEN));
}
