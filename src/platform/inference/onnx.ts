import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { OnnxSession, warmUpInputs } from './onnx-session.ts';
import { OnnxThread } from './onnx-thread.ts';
import type { Judged } from './onnx-worker.ts';
import type { Inference, LoadedModel, ModelSignature } from './port.ts';

/** Runs waiting for the worker at most; more are refused rather than queued without end. */
const WORKER_QUEUE_MAX = 1000;
/** As the engine's: whoever answers requests comes first when both want a core. */
const JUDGE_NICENESS = 10;

/**
 * ONNX Runtime behind the inference port. One thread loads every model first and judges its cost;
 * then cheap ones run on the main thread and costly ones in a thread of their own kind, so that no
 * request waits for a model being judged.
 */
export class OnnxInference implements Inference {
  readonly #judge: OnnxThread;
  readonly #worker: OnnxThread;

  constructor({ log }: { readonly log: Log }) {
    this.#judge = new OnnxThread({ settings: { niceness: JUDGE_NICENESS }, log });
    this.#worker = new OnnxThread({ settings: { niceness: 0 }, log });
  }

  async inspect(file: string): Promise<ModelSignature> {
    return this.#judge.ask<ModelSignature>({ kind: 'inspect', file });
  }

  async load(file: string): Promise<LoadedModel> {
    const judged = await this.#judge.ask<Judged>({ kind: 'judge', file });
    if (!judged.isCheap) return this.#inWorker(file, judged);
    const session = await OnnxSession.open(file);
    await session.run(warmUpInputs(session.signature), []);
    return onMain(judged, session);
  }

  /** Ends the worker as a crash in native code would; for tests of what follows. */
  async crashWorker(): Promise<void> {
    await this.#worker.kill();
  }

  async close(): Promise<void> {
    await Promise.all([this.#judge.close(), this.#worker.close()]);
  }

  async #inWorker(file: string, judged: Judged): Promise<LoadedModel> {
    const worker = this.#worker;
    const open = (): Promise<number> => worker.ask<number>({ kind: 'open', file });
    let current = { opened: open(), life: worker.life };
    await current.opened;
    // A worker that died took its models along; its successor opens this one again when asked.
    const model = (): Promise<number> => {
      if (worker.life === null || current.life !== worker.life) {
        const reopening = { opened: open(), life: worker.life };
        current = reopening;
        // An open that failed is not the last word.
        reopening.opened.catch(() => {
          if (current === reopening) current = { opened: reopening.opened, life: null };
        });
      }
      return current.opened;
    };
    return {
      ...costs(judged),
      placement: 'worker',
      run: async (inputs, outputs) => {
        if (worker.waiting >= WORKER_QUEUE_MAX) {
          throw new AppError('OVERLOADED', `${WORKER_QUEUE_MAX} requests wait for the model.`, {
            hint: 'Try again in a moment.',
          });
        }
        return worker.ask({ kind: 'run', model: await model(), inputs, outputs });
      },
      release: async () => {
        if (current.life === null || current.life !== worker.life) return;
        await worker.ask({ kind: 'release', model: await model() });
      },
    };
  }
}

function costs(judged: Judged): Pick<LoadedModel, 'signature' | 'runtime' | 'loadMs' | 'runP99Us'> {
  const { signature, runtime, loadMs, runP99Us } = judged;
  return { signature, runtime, loadMs, runP99Us };
}

function onMain(judged: Judged, session: OnnxSession): LoadedModel {
  return {
    ...costs(judged),
    placement: 'main',
    run: (inputs, outputs) => session.run(inputs, outputs),
    release: () => session.release(),
  };
}
