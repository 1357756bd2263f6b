import { Worker } from 'node:worker_threads';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { entryFile } from '../system.ts';
import { fromWireFailure } from './sqlite-error.ts';
import type {
  SqliteEnvelope,
  SqliteHello,
  SqliteReplies,
  SqliteReplyEnvelope,
  SqliteRequest,
  SqliteThreadData,
  WireFailure,
} from './sqlite-protocol.ts';

interface Waiting {
  resolve(reply: SqliteReplies[keyof SqliteReplies]): void;
  reject(error: Error): void;
}

/** A SQLite thread seen from the main one. Once it has died, every call rejects. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #death: AppError | null = null;
  #isClosing = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async open(data: SqliteThreadData, log: Log): Promise<SqliteThread> {
    const worker = new Worker(entryFile(import.meta.url, './sqlite-worker'), {
      workerData: data,
      name: `millwright-sqlite-${data.role}`,
    });
    const thread = new SqliteThread(worker);
    await thread.#greet();
    worker.on('message', (envelope: SqliteReplyEnvelope) => {
      thread.#settle(envelope);
    });
    worker.on('error', (error) => {
      thread.#die(error, log);
    });
    worker.on('exit', (status) => {
      thread.#die(new Error(`the thread exited with ${status}`), log);
    });
    return thread;
  }

  /** Calls not yet answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  call<Kind extends SqliteRequest['kind']>(
    request: Extract<SqliteRequest, { kind: Kind }>,
  ): Promise<SqliteReplies[Kind]> {
    if (this.#death !== null) return Promise.reject(this.#death);
    const id = (this.#lastId += 1);
    const reply = new Promise<SqliteReplies[keyof SqliteReplies]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#worker.postMessage({ id, request } satisfies SqliteEnvelope);
    return reply as Promise<SqliteReplies[Kind]>;
  }

  /** Answers what was asked before, then ends the thread. A dead one is closed already. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#death === null) await this.call<'close'>({ kind: 'close' }).catch(() => undefined);
    await this.#worker.terminate();
  }

  #greet(): Promise<void> {
    return new Promise((resolve, reject) => {
      const exited = () => {
        reject(new Error('SQLite: the thread ended before it had opened the file'));
      };
      this.#worker.once('error', reject).once('exit', exited);
      this.#worker.once('message', (hello: SqliteHello) => {
        this.#worker.off('error', reject).off('exit', exited);
        if ('ready' in hello) resolve();
        else reject(openError(hello.failure));
      });
    });
  }

  #settle({ id, reply }: SqliteReplyEnvelope): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve(reply);
  }

  #die(cause: Error, log: Log): void {
    if (this.#death !== null) return;
    this.#death = new AppError('INTERNAL', 'A thread of the metadata database has stopped.', {
      hint: 'Restart Millwright: everything acknowledged is safe; a change under way is in or not.',
      cause,
    });
    if (!this.#isClosing) log.error('db.thread.stopped', { error: String(cause) });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#death);
    this.#waiting.clear();
  }
}

function openError(failure: WireFailure): Error {
  if (failure.kind === 'expectation') return new Error('SQLite: an unexpected greeting');
  return fromWireFailure(failure);
}
