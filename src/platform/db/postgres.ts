import type { Compilable, Kysely } from 'kysely';
import { Pool, type PoolClient, type QueryArrayResult } from 'pg';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { sleep } from '../system.ts';
import { CommitListeners } from './commit-listeners.ts';
import { compileOnly } from './kysely-builder.ts';
import { toParameter } from './parameter.ts';
import { RESULT_ROWS_MAX } from './port.ts';
import type { CommitListener, Db, Step, StepResult } from './port.ts';
import { isRetryable, toCallerError } from './postgres-error.ts';
import { postgresTypes } from './postgres-types.ts';

/** Calls that may wait for a connection, as many as SQLite's queue holds. */
const WAITING_MAX = 10_000;
/** Runs of one transaction; from the second on, this process runs them one after the other. */
const ATTEMPTS_MAX = 12;
const RETRY_FIRST_MS = 2;
const RETRY_MAX_MS = 250;
const CONNECT_TIMEOUT_MS = 10_000;
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

export interface PostgresOptions {
  readonly url: string;
  /** The workspace's schema, created when missing; default: the connection's own search path. */
  readonly schema?: string;
  readonly connections?: number;
  readonly log: Log;
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly step: Step;
}

/**
 * The metadata database in PostgreSQL. Transactions are serializable, so that statements that
 * decide by reading (`insert ... select max(...) + 1`) mean what they mean with SQLite's single
 * writer.
 */
export class PostgresDb implements Db {
  readonly dialect = 'postgres';
  readonly #queries = compileOnly<never>('postgres');
  readonly #pool: Pool;
  readonly #listeners: CommitListeners;
  readonly #writing = new Set<Promise<unknown>>();
  #contendedLane: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #lost: AppError | null = null;

  constructor(pool: Pool, log: Log) {
    this.#pool = pool;
    this.#listeners = new CommitListeners(log);
  }

  queries<Tables>(): Kysely<Tables> {
    return this.#queries as unknown as Kysely<Tables>;
  }

  async read<Row>(query: Compilable<Row>): Promise<readonly Row[]> {
    this.#admit(this.#pool.waitingCount);
    const { sql, parameters } = query.compile();
    const values = parameters.map(toParameter);
    try {
      const result = await this.#pool.query<unknown[]>({ text: sql, values, rowMode: 'array' });
      return rowsOf(result, sql) as Row[];
    } catch (error) {
      throw await toCallerError(error, { sql, client: null });
    }
  }

  async write(steps: readonly Step[]): Promise<readonly StepResult[]> {
    this.#admit(this.#writing.size);
    const statements = steps.map((step) => {
      const { sql, parameters } = step.query.compile();
      return { text: sql, values: parameters.map(toParameter), step };
    });
    const writing = this.#attempts(statements);
    this.#writing.add(writing);
    try {
      const results = await writing;
      this.#listeners.notify(steps, results);
      return results;
    } finally {
      this.#writing.delete(writing);
    }
  }

  onCommit(listener: CommitListener): () => void {
    return this.#listeners.add(listener);
  }

  /** From now on every call rejects with the error: the database belongs to somebody else. */
  refuse(error: AppError): void {
    this.#lost = error;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled(this.#writing);
    await this.#pool.end();
  }

  async #attempts(statements: readonly Statement[]): Promise<readonly StepResult[]> {
    const first = await this.#attempt(statements, 1);
    if (first !== 'retry') return first;
    const lane = this.#contendedLane.then(() => this.#retries(statements));
    this.#contendedLane = lane.catch(() => undefined);
    return lane;
  }

  async #retries(statements: readonly Statement[]): Promise<readonly StepResult[]> {
    for (let attempt = 2; ; attempt += 1) {
      await sleep(Math.min(RETRY_FIRST_MS * 2 ** (attempt - 2), RETRY_MAX_MS));
      const results = await this.#attempt(statements, attempt);
      if (results !== 'retry') return results;
    }
  }

  async #attempt(
    statements: readonly Statement[],
    attempt: number,
  ): Promise<readonly StepResult[] | 'retry'> {
    let current: string | null = null;
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      await client.query('begin isolation level serializable');
      const results: StepResult[] = [];
      for (const statement of statements) {
        current = statement.text;
        results.push(await runStatement(client, statement));
      }
      current = null;
      await client.query('commit');
      return results;
    } catch (error) {
      broken = await rollback(client);
      if (isRetryable(error) && attempt < ATTEMPTS_MAX) return 'retry';
      throw await toCallerError(error, { sql: current, client: broken ? null : client });
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw await toCallerError(error, { sql: null, client: null });
    }
  }

  #admit(waiting: number): void {
    if (this.#isClosed) {
      throw new AppError('STOPPING', 'The metadata database is closed.', {
        hint: 'Millwright is stopping; try again when it is up.',
      });
    }
    if (this.#lost !== null) throw this.#lost;
    if (waiting >= WAITING_MAX) {
      throw new AppError('OVERLOADED', `${WAITING_MAX} calls wait for the metadata database.`, {
        hint: 'Try again in a moment; nothing of this change was kept.',
      });
    }
  }
}

/** Connects once to prove the server answers. Rejects with `DATABASE_UNREACHABLE`. */
export async function openPostgres(options: PostgresOptions): Promise<PostgresDb> {
  const { url, schema, connections = 10, log } = options;
  if (schema !== undefined && !SCHEMA_NAME.test(schema)) {
    throw new AppError('INVALID_CONFIG', `The database schema "${schema}" is not a valid name.`, {
      hint: 'Use lowercase letters, digits and _, at most 63, not starting with a digit.',
    });
  }
  const pool = new Pool({
    connectionString: url,
    max: connections,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: postgresTypes,
    application_name: 'millwright',
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
  });
  const lost = (error: Error) => {
    log.warn('db.connection.lost', { error: error.message });
  };
  // The pool listens to idle connections only; a lost busy one would end the process.
  pool.on('connect', (client) => client.on('error', lost));
  pool.on('error', () => undefined);
  try {
    await pool.query(schema === undefined ? 'select 1' : `create schema if not exists ${schema}`);
  } catch (error) {
    const failure = await toCallerError(error, { sql: null, client: null });
    await pool.end();
    throw failure;
  }
  return new PostgresDb(pool, log);
}

async function runStatement(client: PoolClient, statement: Statement): Promise<StepResult> {
  const { text, values, step } = statement;
  const result = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
  const rows = rowsOf(result, text);
  const changes = result.fields.length > 0 ? rows.length : (result.rowCount ?? 0);
  if (step.expect !== undefined && step.expect.rows !== changes) throw step.expect.otherwise;
  return { rows, changes };
}

/** Ends the failed transaction; an error means that the connection is of no more use. */
async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function rowsOf(
  result: QueryArrayResult<unknown[]>,
  sql: string,
): readonly Record<string, unknown>[] {
  assert(result.rows.length <= RESULT_ROWS_MAX, `a statement returns too many rows: ${sql}`);
  const names = result.fields.map((field) => field.name);
  return result.rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index += 1) object[names[index]!] = row[index];
    return object;
  });
}
