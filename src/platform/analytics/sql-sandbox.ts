import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError, type ErrorBody } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { after, entryFile } from '../system.ts';
import type { SqlAnswer, SqlLimits, SqlQuery, SqlSandbox } from './port.ts';
import { limitReached, READY, type SqlOrder } from './sql-order.ts';
import { assertAsks, withDefaultQuoted } from './sql-statement.ts';

/**
 * DuckDB's own limit does not see everything (a constant that is folded while a query is planned,
 * for one): the system limits the process as a whole. What Node and DuckDB take themselves:
 */
const OWN_BYTES = 640 * 1024 ** 2;
/** Of JavaScript in the process, where an answer is at most a few times `resultBytes`. */
const HEAP_MIB = 256;
/** Seconds of processor time, should nobody be left to kill it. */
const CPU_SECONDS = 120;
/** Opening a process and DuckDB in it, before the query's own time begins. */
const START_MS = 10_000;

/** `sh -c` with the limits, then the program and its arguments; no core of it is ever kept. */
const LIMITED = 'ulimit -c 0; ulimit -t "$1"; ulimit -d "$2" 2>/dev/null; shift 2; exec "$@"';

type Reply = { readonly answer: SqlAnswer } | { readonly error: ErrorBody };

/** A process a query: it knows no environment, and goes with the query whatever happens. */
export class ProcessSandbox implements SqlSandbox {
  readonly #folder: string;
  readonly #ids: Ids;
  #emptied: Promise<void> | null = null;

  /**
   * The folder is its own: what queries put aside lies there while they run, and what a killed
   * process left is removed before the first one.
   */
  constructor(options: { readonly folder: string; readonly ids: Ids }) {
    this.#folder = options.folder;
    this.#ids = options.ids;
  }

  async query({ signal, ...query }: SqlQuery): Promise<SqlAnswer> {
    assertAsks(query.sql);
    signal?.throwIfAborted();
    await (this.#emptied ??= rm(this.#folder, { recursive: true, force: true }));
    const spillFolder = path.join(this.#folder, this.#ids.next('tmp'));
    await mkdir(spillFolder, { recursive: true, mode: 0o700 });
    try {
      const order = { ...query, sql: withDefaultQuoted(query.sql), spillFolder };
      return await run(order, signal);
    } finally {
      await rm(spillFolder, { recursive: true, force: true });
    }
  }
}

async function run(order: SqlOrder, signal: AbortSignal | undefined): Promise<SqlAnswer> {
  const { limits } = order;
  const child = start(limits);
  let isLate = false;
  const kill = (): void => void child.kill('SIGKILL');
  const killAfter = (ms: number): (() => void) =>
    after(ms, () => {
      isLate = true;
      kill();
    });
  let cancel = killAfter(START_MS);
  child.stdout.once('data', () => {
    cancel();
    cancel = killAfter(limits.timeoutMs);
  });
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const { output, ended } = await outputOf(child, JSON.stringify(order), limits);
    signal?.throwIfAborted();
    if (isLate) throw limitReached('time', limits);
    const reply = parse(output);
    // An allocator that gets no memory ends the process, and so does a stack that runs over.
    if (reply === null) throw broken(ended, limits);
    if ('answer' in reply) return reply.answer;
    throw AppError.fromBody(reply.error);
  } finally {
    cancel();
    signal?.removeEventListener('abort', kill);
    kill();
  }
}

function start(limits: SqlLimits): ChildProcessWithoutNullStreams {
  const dataKiB = Math.ceil((limits.memoryBytes + OWN_BYTES) / 1024);
  const program = [
    process.execPath,
    `--max-old-space-size=${HEAP_MIB}`,
    entryFile(import.meta.url, './sql-process'),
  ];
  const args = ['-c', LIMITED, 'sh', String(CPU_SECONDS), String(dataKiB), ...program];
  return spawn('/bin/sh', args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Everything it printed, once it has ended; more than an answer can be gets it killed. */
function outputOf(
  child: ChildProcessWithoutNullStreams,
  input: string,
  limits: SqlLimits,
): Promise<{ readonly output: string; readonly ended: string }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 2 * limits.resultBytes + 1024 ** 2) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    // Nobody reads what an engine says while it breaks; the pipe must not fill up.
    child.stderr.resume();
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      reject(notStarted(error));
    });
    child.on('close', (code, signal) => {
      resolve({ output: Buffer.concat(chunks).toString('utf8'), ended: signal ?? String(code) });
    });
    child.stdin.end(input);
  });
}

/** Too many open files or processes, or no memory: of the machine, not of the query. */
function notStarted(cause: Error): AppError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  return new AppError('OVERLOADED', `No process could be started for the query (${code}).`, {
    hint: 'Ask again when the machine has less to do.',
    cause,
  });
}

function parse(output: string): Reply | null {
  try {
    return JSON.parse(output.slice(READY.length)) as Reply;
  } catch {
    return null;
  }
}

function broken(ended: string, limits: SqlLimits): AppError {
  const { message, hint, details } = limitReached('memory', limits);
  return new AppError('QUERY_LIMIT', `${message} It ended its process (${ended}).`, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
