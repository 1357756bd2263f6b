import type { Compilable, Kysely } from 'kysely';
import { assert, present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { CommitListeners } from './commit-listeners.ts';
import { compileOnly } from './kysely-builder.ts';
import { toParameter } from './parameter.ts';
import type { CommitListener, Db, Step, StepResult } from './port.ts';
import { fromWireFailure } from './sqlite-error.ts';
import type { WireOutcome, WireResult, WireStatement } from './sqlite-protocol.ts';
import { SqliteThread } from './sqlite-thread.ts';
import { SqliteWriter } from './sqlite-writer.ts';

/** Reads waiting for the reader threads; at 0.1 ms each, about a second's worth. */
const READS_MAX = 10_000;

export interface SqliteOptions {
  readonly file: string;
  readonly readers?: number;
  /** Transactions that may wait for the writer. */
  readonly writesMax?: number;
  readonly log: Log;
}

/**
 * The metadata database in one SQLite file (WAL, synchronous=FULL): one writer thread that commits
 * in groups, and readers. Its process must be the only one that writes (owner.lock).
 */
export class SqliteDb implements Db {
  readonly dialect = 'sqlite';
  readonly #queries = compileOnly<never>('sqlite');
  readonly #writer: SqliteWriter;
  readonly #readers: readonly SqliteThread[];
  readonly #listeners: CommitListeners;
  /** One after the other: a reader keeps one. */
  #snapshots: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: {
    readonly writer: SqliteWriter;
    readonly readers: readonly SqliteThread[];
    readonly listeners: CommitListeners;
  }) {
    this.#writer = parts.writer;
    this.#readers = parts.readers;
    this.#listeners = parts.listeners;
  }

  queries<Tables>(): Kysely<Tables> {
    return this.#queries as unknown as Kysely<Tables>;
  }

  async read<Row>(query: Compilable<Row>): Promise<readonly Row[]> {
    this.#assertOpen();
    const statement = wireStatement(query);
    const reader = this.#idlestReader();
    const outcome = await reader.call<'read'>({ kind: 'read', statement });
    return rowsOf(only(resultsOf(outcome, []))) as Row[];
  }

  async write(steps: readonly Step[]): Promise<readonly StepResult[]> {
    this.#assertOpen();
    const transaction = steps.map((step) => wireStatement(step.query, step.expect?.rows));
    const outcome = await this.#writer.submit(transaction);
    const results = resultsOf(outcome, steps).map((result) => ({
      rows: rowsOf(result),
      changes: result.changes,
    }));
    this.#listeners.notify(steps, results);
    return results;
  }

  onCommit(listener: CommitListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Writes a consistent copy of the database to a new file, while reads and writes go on. */
  async backup(file: string): Promise<void> {
    this.#assertOpen();
    resultsOf(await this.#idlestReader().call<'backup'>({ kind: 'backup', file }), []);
  }

  /**
   * Writes a copy of the database as it is while `action` runs, to a new file. Changes wait until
   * the action is done, but not for the copy.
   */
  async snapshot(file: string, action: () => Promise<void>): Promise<void> {
    const mine = this.#snapshots.then(() => this.#snapshot(file, action));
    this.#snapshots = mine.catch(() => undefined);
    await mine;
  }

  async #snapshot(file: string, action: () => Promise<void>): Promise<void> {
    this.#assertOpen();
    const reader = this.#idlestReader();
    const release = await this.#writer.hold();
    try {
      resultsOf(await reader.call<'pin'>({ kind: 'pin' }), []);
      await action();
    } finally {
      release();
    }
    resultsOf(await reader.call<'copy-pinned'>({ kind: 'copy-pinned', file }), []);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
    // The last connection to close folds the write-ahead log into the file: that is the writer.
    await this.#writer.close();
  }

  #idlestReader(): SqliteThread {
    const idlest = this.#readers.reduce((best, next) =>
      next.pending < best.pending ? next : best,
    );
    if (idlest.pending * this.#readers.length >= READS_MAX) {
      throw new AppError('OVERLOADED', `${READS_MAX} reads wait for the metadata database.`, {
        hint: 'Try again in a moment.',
      });
    }
    return idlest;
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new AppError('STOPPING', 'The metadata database is closed.', {
      hint: 'Millwright is stopping; try again when it is up.',
    });
  }
}

/** Opens the file, creating it if need be; its folder must exist. */
export async function openSqlite(options: SqliteOptions): Promise<SqliteDb> {
  const { file, log, writesMax } = options;
  const writer = new SqliteThread({ file, role: 'writer' }, log);
  const readers = Array.from(
    { length: options.readers ?? 2 },
    () => new SqliteThread({ file, role: 'reader' }, log),
  );
  assert(readers.length > 0, 'a SQLite database has a reader');
  try {
    // All threads start together, but readers find a database only when the writer has opened it.
    resultsOf(await writer.call<'open'>({ kind: 'open' }), []);
    const opened = readers.map((reader) => reader.call<'open'>({ kind: 'open' }));
    for (const outcome of await Promise.all(opened)) resultsOf(outcome, []);
  } catch (error) {
    await Promise.all([writer, ...readers].map((thread) => thread.close()));
    throw error;
  }
  const listeners = new CommitListeners(log);
  return new SqliteDb({ writer: new SqliteWriter(writer, writesMax), readers, listeners });
}

function wireStatement(query: Compilable, expectRows?: number): WireStatement {
  const { sql, parameters } = query.compile();
  return {
    sql,
    parameters: parameters.map(toParameter),
    ...(expectRows === undefined ? {} : { expectRows }),
  };
}

function resultsOf(outcome: WireOutcome, steps: readonly Step[]): readonly WireResult[] {
  if ('results' in outcome) return outcome.results;
  const { failure } = outcome;
  if (failure.kind !== 'expectation') throw fromWireFailure(failure);
  throw present(steps[failure.step]?.expect, 'the expectation that failed').otherwise;
}

function only(results: readonly WireResult[]): WireResult {
  return present(results[0], 'the result of a read');
}

function rowsOf({ columns, rows }: WireResult): readonly Record<string, unknown>[] {
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index += 1) {
      object[columns[index]!] = row[index];
    }
    return object;
  });
}
