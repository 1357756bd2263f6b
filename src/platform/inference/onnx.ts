import { Worker } from 'node:worker_threads';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { entryFile } from '../system.ts';
import { OnnxSession, warmUpInputs } from './onnx-session.ts';
import type { Loaded, WorkerReply, WorkerRequest } from './onnx-worker.ts';
import type { Inference, LoadedModel, ModelSignature } from './port.ts';

/** Runs waiting for the worker at most; more are refused rather than queued without end. */
const WORKER_QUEUE_MAX = 1000;

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** ONNX Runtime behind the inference port: a worker thread for loading and for costly models. */
export class OnnxInference implements Inference {
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #nextId = 1;
  #isClosed = false;

  constructor(options: { readonly log: Log }) {
    this.#log = options.log;
  }

  async inspect(file: string): Promise<ModelSignature> {
    const loaded = await this.#ask<Loaded>({ kind: 'load', file });
    await this.#ask({ kind: 'release', model: loaded.model });
    return loaded.signature;
  }

  async load(file: string): Promise<LoadedModel> {
    const loaded = await this.#ask<Loaded>({ kind: 'load', file });
    if (!loaded.isCheap) return this.#inWorker(file, loaded);
    const session = await OnnxSession.open(file);
    await session.run(warmUpInputs(session.signature), []);
    await this.#ask({ kind: 'release', model: loaded.model });
    return onMain(loaded, session);
  }

  /** Ends the worker as a crash in native code would; for tests of what follows. */
  async crashWorker(): Promise<void> {
    await this.#worker?.terminate();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #inWorker(file: string, first: Loaded): LoadedModel {
    let current = { worker: this.#worker, loaded: Promise.resolve(first) };
    // A worker that died took its models along; its successor loads this one again when asked.
    const model = async (): Promise<number> => {
      if (current.worker !== this.#worker || this.#worker === null) {
        const loaded = this.#ask<Loaded>({ kind: 'load', file });
        const reloading = { worker: this.#worker, loaded };
        current = reloading;
        // A load that failed is not the last word.
        loaded.catch(() => {
          if (current === reloading) current = { worker: null, loaded };
        });
      }
      return (await current.loaded).model;
    };
    return {
      ...costs(first),
      placement: 'worker',
      run: async (inputs, outputs) => {
        if (this.#pending.size >= WORKER_QUEUE_MAX) {
          throw new AppError('OVERLOADED', `${WORKER_QUEUE_MAX} requests wait for the model.`, {
            hint: 'Try again in a moment.',
          });
        }
        return this.#ask({ kind: 'run', model: await model(), inputs, outputs });
      },
      release: async () => {
        // A worker that died took the model along.
        if (current.worker === null || current.worker !== this.#worker) return;
        await this.#ask({ kind: 'release', model: await model() });
      },
    };
  }

  #ask<Result>(request: WithoutId<WorkerRequest>): Promise<Result> {
    if (this.#isClosed) throw new AppError('STOPPING', 'Millwright is stopping.');
    this.#worker ??= this.#startWorker();
    const id = this.#nextId++;
    const worker = this.#worker;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ ...request, id });
    });
  }

  #startWorker(): Worker {
    const worker = new Worker(entryFile(import.meta.url, './onnx-worker'));
    worker.unref();
    worker.on('message', (reply: WorkerReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.ok) pending?.resolve(reply.result as never);
      else pending?.reject(AppError.fromBody(reply.error));
    });
    worker.on('error', (error) =>
      this.#log.error('inference.worker.failed', { error: error.message }),
    );
    worker.on('exit', () => {
      this.#worker = null;
      const lost = new AppError('ENDPOINT_NOT_READY', 'The inference worker stopped.', {
        hint: 'Try again: it starts anew with the next request. The log says why it stopped.',
      });
      for (const pending of this.#pending.values()) pending.reject(lost);
      this.#pending.clear();
    });
    return worker;
  }
}

function costs(loaded: Loaded): Pick<LoadedModel, 'signature' | 'runtime' | 'loadMs' | 'runP99Us'> {
  const { signature, runtime, loadMs, runP99Us } = loaded;
  return { signature, runtime, loadMs, runP99Us };
}

function onMain(loaded: Loaded, session: OnnxSession): LoadedModel {
  return {
    ...costs(loaded),
    placement: 'main',
    run: (inputs, outputs) => session.run(inputs, outputs),
    release: () => session.release(),
  };
}
