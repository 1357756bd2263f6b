import { AppError } from '../../base/errors.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import type { Log } from '../log/log.ts';
import { answerJson } from './answer-json.ts';
import type { Judged } from './judge.ts';
import { OnnxSession, warmUpInputs } from './onnx-session.ts';
import { OnnxThread } from './onnx-thread.ts';
import type { ParkedHead } from './parked-bodies.ts';
import type {
  AnswerFrame,
  AnswerJson,
  Inference,
  LoadedModel,
  ModelSignature,
  ParkedBody,
} from './port.ts';
import { WorkerModel } from './worker-model.ts';

/** Runs waiting for the worker at most; more are refused rather than queued without end. */
const WORKER_QUEUE_MAX = 1000;
/** Bytes of bodies in the worker at once; parsed, the worst take twenty times as much memory. */
const PARKED_BYTES_MAX = 32 * 1024 * 1024;
/** As the engine's: whoever answers requests comes first when both want a core. */
const JUDGE_NICENESS = 10;

/** Which body of which life of the worker a parked one is. */
interface Parked extends ParkedBody {
  readonly number: number;
  readonly life: object | null;
}

/**
 * ONNX Runtime behind the inference port. One thread loads every model first and judges its cost;
 * then cheap ones run on the main thread and costly ones in a thread of their own kind, so that no
 * request waits for a model being judged. What is long runs in that thread whatever its model:
 * bodies that it reads itself, and batches that a cheap model is not cheap with.
 */
export class OnnxInference implements Inference {
  readonly #judge: OnnxThread;
  readonly #worker: OnnxThread;
  #parkedBytes = 0;

  constructor({ log }: { readonly log: Log }) {
    this.#judge = new OnnxThread({ settings: { niceness: JUDGE_NICENESS }, log });
    this.#worker = new OnnxThread({ settings: { niceness: 0 }, log });
  }

  async inspect(file: string): Promise<ModelSignature> {
    return this.#judge.ask<ModelSignature>({ kind: 'inspect', file });
  }

  async load(file: string): Promise<LoadedModel> {
    const judged = await this.#judge.ask<Judged>({ kind: 'judge', file });
    const inWorker = new WorkerModel(this.#worker, file);
    if (!judged.isCheap) {
      await inWorker.open();
      return this.#loaded(judged, inWorker, null);
    }
    const session = await OnnxSession.open(file);
    await session.run(warmUpInputs(session.signature, 1), []);
    return this.#loaded(judged, inWorker, session);
  }

  async park(bytes: Uint8Array): Promise<ParkedBody> {
    if (this.#parkedBytes + bytes.length > PARKED_BYTES_MAX) {
      throw new AppError('OVERLOADED', `${this.#parkedBytes} bytes of long requests wait.`, {
        hint: 'Try again in a moment, or send smaller batches.',
      });
    }
    const size = bytes.length;
    this.#parkedBytes += size;
    try {
      // A piece of a larger buffer must not take its neighbours along.
      const own = bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
      const asked = this.#ask<ParkedHead>({ kind: 'park', bytes: own }, [
        own.buffer as ArrayBuffer,
      ]);
      const { life } = this.#worker;
      const head = await asked;
      return this.#parked(head, { life, size });
    } catch (thrown) {
      this.#parkedBytes -= size;
      throw thrown;
    }
  }

  /** Ends the worker as a crash in native code would; for tests of what follows. */
  async crashWorker(): Promise<void> {
    await this.#worker.kill();
  }

  async close(): Promise<void> {
    await Promise.all([this.#judge.close(), this.#worker.close()]);
  }

  #parked(told: ParkedHead, of: { readonly life: object | null; readonly size: number }): Parked {
    const { isJson, head, error, body } = told;
    let isKept = true;
    return {
      isJson,
      envelope: head,
      error: error === null ? null : AppError.fromBody(error),
      number: body,
      life: of.life,
      release: () => {
        if (!isKept) return;
        isKept = false;
        this.#parkedBytes -= of.size;
        if (head === null || of.life !== this.#worker.life) return;
        this.#worker.ask({ kind: 'drop', body }).catch(() => undefined);
      },
    };
  }

  #loaded(judged: Judged, inWorker: WorkerModel, onMain: OnnxSession | null): LoadedModel {
    const { signature, runtime, loadMs, runP50Us, runP99Us, openMax } = judged;
    const onMainFor = (inputs: readonly Tensor[]): OnnxSession | null =>
      onMain !== null && isWithin(inputs, signature, openMax) ? onMain : null;
    return {
      signature,
      runtime,
      loadMs,
      runP50Us,
      runP99Us,
      placement: onMain === null ? 'worker' : 'main',
      mainLengthMax: onMain === null ? 0 : openMax,
      run: async (inputs, outputs) => {
        const session = onMainFor(inputs);
        if (session !== null) return session.run(inputs, outputs);
        return inWorker.use((model) => this.#ask({ kind: 'run', model, inputs, outputs }));
      },
      answer: async ({ inputs, outputs }, frame) => {
        const session = onMainFor(inputs);
        if (session !== null) return answerJson(await session.run(inputs, outputs), frame);
        return inWorker.use((model) =>
          this.#ask({ kind: 'answer', model, inputs, outputs, frame }),
        );
      },
      answerParked: (body, frame) =>
        inWorker.use((model) => this.#answerParked(body as Parked, model, frame)),
      release: async () => {
        await Promise.all([onMain?.release(), inWorker.release()]);
      },
    };
  }

  #answerParked(body: Parked, model: number, frame: AnswerFrame): Promise<AnswerJson> {
    if (body.life !== this.#worker.life) {
      throw new AppError('ENDPOINT_NOT_READY', 'The worker that had read the request stopped.', {
        hint: 'Try again: the log says why it stopped.',
      });
    }
    return this.#ask({ kind: 'answer-parked', model, body: body.number, frame });
  }

  #ask<Result>(...request: Parameters<OnnxThread['ask']>): Promise<Result> {
    this.#admit();
    return this.#worker.ask<Result>(...request);
  }

  #admit(): void {
    if (this.#worker.waiting < WORKER_QUEUE_MAX) return;
    throw new AppError('OVERLOADED', `${WORKER_QUEUE_MAX} requests wait for the worker.`, {
      hint: 'Try again in a moment.',
    });
  }
}

/** Whether no dimension that the signature leaves open is longer than `openMax`. */
function isWithin(inputs: readonly Tensor[], signature: ModelSignature, openMax: number): boolean {
  return inputs.every(({ shape }, index) =>
    shape.every((size, at) => size <= openMax || signature.inputs[index]!.shape[at] !== -1),
  );
}
