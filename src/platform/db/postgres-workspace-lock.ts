import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../log/log.ts';
import { every, sleep } from '../system.ts';
import { toCallerError } from './postgres-error.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** A process that was just killed has its connection closed for it, a moment later. */
const TRIES = 20;
const TRY_MS = 100;
/** How soon a connection that died without a word is noticed. */
const CHECK_MS = 10_000;

export interface PostgresWorkspaceLockOptions {
  readonly url: string;
  readonly workspace: string;
  /** The lock went to somebody else while the connection was lost. */
  readonly onLost: (error: AppError) => void;
  readonly log: Log;
}

/**
 * Makes this process the only one that runs the workspace in the database: two copies of a state
 * folder have an `owner.lock` each, but share it. A session-level advisory lock (PostgreSQL,
 * "Advisory Locks") on a connection of its own, which ends with the process, however that dies.
 */
export class PostgresWorkspaceLock {
  readonly #options: PostgresWorkspaceLockOptions;
  #client: Client | null = null;
  #isReleased = false;
  #stopChecking: () => void = () => undefined;

  private constructor(options: PostgresWorkspaceLockOptions) {
    this.#options = options;
  }

  /** Rejects with `STATE_OWNED` when another process runs the workspace. */
  static async take(options: PostgresWorkspaceLockOptions): Promise<PostgresWorkspaceLock> {
    const lock = new PostgresWorkspaceLock(options);
    for (let attempt = 1; !(await lock.#connect()); attempt += 1) {
      if (attempt === TRIES) throw owned(options.workspace);
      await sleep(TRY_MS);
    }
    lock.#stopChecking = every(CHECK_MS, () => {
      lock.#client?.query('select 1').catch(() => undefined);
    });
    return lock;
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#stopChecking();
    await this.#client?.end();
  }

  /** False when another process has the lock. */
  async #connect(): Promise<boolean> {
    const { url, workspace } = this.#options;
    const client = new Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'millwright-owner',
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const place = await client.query<{ schema: string }>('select current_schema() as schema');
      const lock = await client.query<{ taken: boolean }>(
        'select pg_try_advisory_lock($1::bigint) as taken',
        [keyOf(workspace, place.rows[0]?.schema ?? '')],
      );
      if (lock.rows[0]?.taken !== true) {
        await client.end();
        return false;
      }
    } catch (thrown) {
      await client.end().catch(() => undefined);
      throw await toCallerError(thrown, { sql: null, client: null });
    }
    this.#client = client;
    client.once('end', () => {
      this.#client = null;
      if (!this.#isReleased) void this.#takeAgain();
    });
    return true;
  }

  /** The server went away: whoever is first when it is back has the workspace. */
  async #takeAgain(): Promise<void> {
    const { log, workspace, onLost } = this.#options;
    log.warn('db.lock.connection-lost', { workspace });
    for (let attempt = 1; !this.#isReleased;) {
      try {
        if (await this.#connect()) {
          log.info('db.lock.taken-again', { workspace });
          return;
        }
        attempt += 1;
      } catch {
        // Nobody can take it either while the server is away.
      }
      if (attempt > TRIES) {
        log.error('db.lock.lost', { workspace });
        onLost(owned(workspace));
        return;
      }
      await sleep(TRY_MS);
    }
  }
}

/** Such locks are of a database; a copy of the whole workspace may live in another schema. */
function keyOf(workspace: string, schema: string): string {
  const hash = createHash('sha256').update(`millwright/${schema}/${workspace}`).digest();
  return hash.readBigInt64BE(0).toString();
}

function owned(workspace: string): AppError {
  return new AppError('STATE_OWNED', `Another process runs the workspace ${workspace}.`, {
    hint:
      'It has a copy of this state folder and the same database. Stop it; of two copies only ' +
      'one may go on. Of a machine that vanished the database notices after minutes.',
  });
}
