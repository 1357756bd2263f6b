import { Worker } from 'node:worker_threads';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { entryFile } from '../system.ts';
import type { ThreadReply, ThreadRequest, ThreadSettings } from './onnx-worker.ts';

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** A thread with ONNX Runtime in it, started with the first request and again after it died. */
export class OnnxThread {
  readonly #settings: ThreadSettings;
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #nextId = 1;
  #isClosed = false;

  constructor(options: { readonly settings: ThreadSettings; readonly log: Log }) {
    this.#settings = options.settings;
    this.#log = options.log;
  }

  /** The life it is in: models opened in another one are gone. Null while none runs. */
  get life(): object | null {
    return this.#worker;
  }

  /** Requests without an answer yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** `handed` names the memory in the request that is the thread's from then on. */
  ask<Result>(
    request: WithoutId<ThreadRequest>,
    handed: readonly ArrayBuffer[] = [],
  ): Promise<Result> {
    if (this.#isClosed) throw new AppError('STOPPING', 'Millwright is stopping.');
    this.#worker ??= this.#start();
    const id = this.#nextId++;
    const worker = this.#worker;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ ...request, id }, handed);
    });
  }

  /** Ends the thread as a crash in native code would; it starts again with the next request. */
  async kill(): Promise<void> {
    await this.#worker?.terminate();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.kill();
  }

  #start(): Worker {
    const worker = new Worker(entryFile(import.meta.url, './onnx-worker'), {
      workerData: this.#settings,
    });
    worker.unref();
    worker.on('message', (reply: ThreadReply) => {
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
