import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { assert } from '../../base/assert.ts';
import type { Parameter } from './parameter.ts';
import { RESULT_ROWS_MAX } from './port.ts';
import { toWireFailure } from './sqlite-error.ts';
import type {
  SqliteThreadData,
  WireFailure,
  WireOutcome,
  WireResult,
  WireStatement,
  WireTransaction,
} from './sqlite-protocol.ts';

/** Longer than any checkpoint, shorter than a person's patience. */
const BUSY_TIMEOUT_MS = 5000;
/** Statements are few and written by us; lists of `in (...)` make some variants. */
const STATEMENTS_MAX = 500;
/** The write-ahead log is cut back to this after a burst. */
const WAL_BYTES_MAX = 64 * 1024 * 1024;
const CACHE_KIB = 16 * 1024;

interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

/** One synchronous connection, owned by one thread. */
export class SqliteConnection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();

  constructor(options: SqliteThreadData) {
    const isReader = options.role === 'reader';
    this.#db = new DatabaseSync(options.file, { readOnly: isReader });
    // The busy timeout comes first: switching to WAL already needs the lock.
    this.#db.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (!isReader) {
      this.#db.exec('pragma journal_mode = wal');
      this.#db.exec('pragma synchronous = full');
      this.#db.exec(`pragma journal_size_limit = ${WAL_BYTES_MAX}`);
    }
    this.#db.exec('pragma foreign_keys = on');
    this.#db.exec('pragma case_sensitive_like = on');
    this.#db.exec('pragma trusted_schema = off');
    this.#db.exec(`pragma cache_size = -${CACHE_KIB}`);
  }

  read(statement: WireStatement): WireOutcome {
    try {
      return { results: [this.#run(statement, 'exact-or-fail')] };
    } catch (error) {
      if (!isInexact(error)) return { failure: toWireFailure(error, statement.sql) };
    }
    try {
      return { results: [this.#run(statement, 'bigint')] };
    } catch (error) {
      return { failure: toWireFailure(error, statement.sql) };
    }
  }

  /**
   * Runs all transactions inside one, so that they share one fsync; each has a savepoint of its own
   * and fails alone. When the shared one fails (a full disk, a deferred constraint), each is tried
   * by itself.
   */
  write(batch: readonly WireTransaction[]): readonly WireOutcome[] {
    try {
      this.#db.exec('begin immediate');
    } catch (error) {
      const failure = toWireFailure(error, null);
      return batch.map(() => ({ failure }));
    }
    try {
      const outcomes = batch.map((transaction) => this.#savepoint(transaction));
      this.#db.exec('commit');
      return outcomes;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      if (batch.length === 1) return [{ failure: toWireFailure(error, null) }];
      return batch.flatMap((transaction) => this.write([transaction]));
    }
  }

  /** Writes a consistent copy of the database to a new file. */
  backup(file: string): WireOutcome {
    try {
      this.#db.prepare('vacuum into ?').run(file);
      return { results: [] };
    } catch (error) {
      return { failure: toWireFailure(error, 'vacuum into ?') };
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #savepoint(transaction: WireTransaction): WireOutcome {
    this.#db.exec('savepoint t');
    const results: WireResult[] = [];
    let failure: WireFailure | null = null;
    for (const [step, statement] of transaction.entries()) {
      failure = this.#step(statement, step, results);
      if (failure !== null) break;
    }
    if (failure === null) {
      this.#db.exec('release t');
      return { results };
    }
    this.#db.exec('rollback to t');
    this.#db.exec('release t');
    return { failure };
  }

  #step(statement: WireStatement, step: number, results: WireResult[]): WireFailure | null {
    try {
      const result = this.#run(statement, 'bigint');
      results.push(result);
      const { expectRows } = statement;
      if (expectRows === undefined || expectRows === result.changes) return null;
      return { kind: 'expectation', step };
    } catch (error) {
      // SQLite may give up the whole transaction (disk full, I/O error): then no savepoint is left.
      if (!this.#db.isTransaction) throw error;
      return toWireFailure(error, statement.sql);
    }
  }

  #run(statement: WireStatement, integers: 'bigint' | 'exact-or-fail'): WireResult {
    const { statement: prepared, columns } = this.#prepare(statement.sql);
    const parameters = statement.parameters.map(bindable);
    prepared.setReadBigInts(integers === 'bigint');
    if (columns.length === 0) {
      return { columns, rows: [], changes: Number(prepared.run(...parameters).changes) };
    }
    const rows = prepared.all(...parameters) as unknown as unknown[][];
    assert(rows.length <= RESULT_ROWS_MAX, `a statement returns too many rows: ${statement.sql}`);
    if (integers === 'bigint') rows.forEach(narrow);
    return { columns, rows, changes: rows.length };
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    const prepared = { statement, columns: statement.columns().map((column) => column.name) };
    // A changed table changes the columns of `select *`, so what was prepared before is dropped.
    if (/^\s*(create|alter|drop)\b/i.test(sql)) this.#statements.clear();
    else this.#statements.set(sql, prepared);
    if (this.#statements.size > STATEMENTS_MAX) {
      const [oldest] = this.#statements.keys();
      this.#statements.delete(oldest ?? '');
    }
    return prepared;
  }
}

/** node:sqlite binds a number as a double; whole ones are integers to PostgreSQL, so here too. */
function bindable(value: Parameter): SQLInputValue {
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInteger ? BigInt(value as number) : value;
}

/** Integers become numbers where exact, else text, as int8 does from PostgreSQL. */
function narrow(row: unknown[]): void {
  for (let index = 0; index < row.length; index += 1) {
    const value = row[index];
    if (typeof value !== 'bigint') continue;
    const number = Number(value);
    row[index] = Number.isSafeInteger(number) ? number : String(value);
  }
}

function isInexact(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE';
}
