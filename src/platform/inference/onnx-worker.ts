import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { toAppError, type ErrorBody } from '../../base/errors.ts';
import { compileReader } from '../../formats/oip/read-request.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import { answerJson } from './answer-json.ts';
import { judge } from './judge.ts';
import { OnnxSession, warmUpInputs } from './onnx-session.ts';
import { ParkedBodies } from './parked-bodies.ts';
import type { AnswerFrame, AnswerJson, ModelSignature } from './port.ts';

/** Thread that loads, judges and runs models and reads long bodies: the main one never waits. */

export interface ThreadSettings {
  /** How far it steps back behind other threads, 0 to 19. */
  readonly niceness: number;
}

interface Asked {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
}

export type ThreadRequest = { readonly id: number } & (
  | { readonly kind: 'inspect'; readonly file: string }
  | { readonly kind: 'judge'; readonly file: string }
  /** Answers the number that the others name the model by. */
  | { readonly kind: 'open'; readonly file: string }
  | ({ readonly kind: 'run'; readonly model: number } & Asked)
  /** As `run`, and writes the answer: `AnswerJson`. */
  | ({ readonly kind: 'answer'; readonly model: number; readonly frame: AnswerFrame } & Asked)
  /** Reads a body and keeps it: `ParkedHead`. */
  | { readonly kind: 'park'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'answer-parked';
      readonly model: number;
      readonly body: number;
      readonly frame: AnswerFrame;
    }
  | { readonly kind: 'drop'; readonly body: number }
  | { readonly kind: 'release'; readonly model: number }
);

export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorBody };

/** A longer answer goes over as bytes, which change hands without being copied. */
const TEXT_CHARS_MAX = 64 * 1024;

interface OpenModel {
  readonly session: OnnxSession;
  readonly read: ReturnType<typeof compileReader>;
}

const port = present(parentPort, 'the parent port');
const { niceness } = workerData as ThreadSettings;
const models = new Map<number, OpenModel>();
const parked = new ParkedBodies();
let nextModel = 1;

// Elsewhere than on Linux it would hold for the whole process.
if (niceness > 0 && process.platform === 'linux') setPriority(niceness);

async function inspect(file: string): Promise<ModelSignature> {
  const session = await OnnxSession.open(file);
  await session.release();
  return session.signature;
}

async function open(file: string): Promise<number> {
  const session = await OnnxSession.open(file);
  await session.run(warmUpInputs(session.signature, 1), []);
  const model = nextModel++;
  models.set(model, { session, read: compileReader(session.signature) });
  return model;
}

function opened(model: number): OpenModel {
  return present(models.get(model), `model ${model}`);
}

async function respond(
  session: OnnxSession,
  asked: Asked,
  frame: AnswerFrame,
): Promise<AnswerJson> {
  const text = answerJson(await session.run(asked.inputs, asked.outputs), frame);
  return text.length <= TEXT_CHARS_MAX ? text : new TextEncoder().encode(text);
}

async function answer(request: ThreadRequest): Promise<unknown> {
  switch (request.kind) {
    case 'inspect':
      return inspect(request.file);
    case 'judge':
      return judge(request.file);
    case 'open':
      return open(request.file);
    case 'run':
      return opened(request.model).session.run(request.inputs, request.outputs);
    case 'answer':
      return respond(opened(request.model).session, request, request.frame);
    case 'park':
      return parked.park(request.bytes);
    case 'answer-parked': {
      const { session, read } = opened(request.model);
      return respond(session, read(parked.require(request.body)), request.frame);
    }
    case 'drop':
      parked.drop(request.body);
      return null;
    case 'release': {
      const { session } = opened(request.model);
      models.delete(request.model);
      await session.release();
      return null;
    }
  }
}

async function serve(request: ThreadRequest): Promise<void> {
  const { id } = request;
  try {
    const result = await answer(request);
    const handed = result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : [];
    port.postMessage({ id, ok: true, result } satisfies ThreadReply, handed);
  } catch (thrown) {
    const error = toAppError(thrown).toBody();
    port.postMessage({ id, ok: false, error } satisfies ThreadReply);
  }
}

port.on('message', (request: ThreadRequest) => {
  void serve(request);
});
