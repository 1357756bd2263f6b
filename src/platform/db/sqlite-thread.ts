import { Worker } from 'node:worker_threads';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { entryFile } from '../system.ts';
import type {
  SqliteEnvelope,
  SqliteReplies,
  SqliteReplyEnvelope,
  SqliteRequest,
  SqliteThreadData,
} from './sqlite-protocol.ts';

interface Waiting {
  resolve(reply: SqliteReplies[keyof SqliteReplies]): void;
  reject(error: Error): void;
}

/**
 * A SQLite thread seen from the main one, started at once; its file opens with the request `open`.
 * Once it has died, every call rejects.
 */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #death: AppError | null = null;
  #isClosing = false;

  constructor(data: SqliteThreadData, log: Log) {
    this.#worker = new Worker(entryFile(import.meta.url, './sqlite-worker'), {
      workerData: data,
      name: `millwright-sqlite-${data.role}`,
    });
    this.#worker.on('message', (envelope: SqliteReplyEnvelope) => {
      this.#settle(envelope);
    });
    this.#worker.on('error', (error) => {
      this.#die(error, log);
    });
    this.#worker.on('exit', (status) => {
      this.#die(new Error(`the thread exited with ${status}`), log);
    });
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
