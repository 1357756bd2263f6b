import type { Scope } from '../../base/access.ts';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import { TOKENS_MAX } from './contract.ts';

interface TokensRow {
  readonly id: string;
  readonly name: string;
  readonly hash: string;
  readonly scopes: string;
  readonly created_at: Micros;
  readonly created_by: string;
  readonly last_used_at: Micros | null;
  readonly expires_at: Micros | null;
  readonly revoked_at: Micros | null;
}

interface AuthTables {
  readonly auth_tokens: TokensRow;
}

export interface StoredToken {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret, in hexadecimal. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** All of them `wall`. */
  readonly createdAt: Micros;
  readonly createdBy: string;
  readonly lastUsedAt: Micros | null;
  readonly expiresAt: Micros | null;
  readonly revokedAt: Micros | null;
}

/** The table `auth_tokens`. */
export class AuthStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Oldest first. */
  async all(): Promise<readonly StoredToken[]> {
    const query = this.#queries()
      .selectFrom('auth_tokens')
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .limit(TOKENS_MAX);
    return (await this.#db.read(query)).map(fromRow);
  }

  /** Rejects with `TOKEN_EXISTS`. */
  async insert(token: StoredToken, event: Step): Promise<void> {
    const query = this.#queries().insertInto('auth_tokens').values(toRow(token));
    try {
      await this.#db.write([{ query }, event]);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'CONFLICT') throw tokenExists(token.name);
      throw thrown;
    }
  }

  async revoke(id: string, revokedAt: Micros, event: Step): Promise<void> {
    const query = this.#queries()
      .updateTable('auth_tokens')
      .set({ revoked_at: revokedAt })
      .where('id', '=', id);
    await this.#db.write([{ query }, event]);
  }

  /** When each was used last. */
  async touch(used: ReadonlyMap<string, Micros>): Promise<void> {
    await this.#db.write(
      [...used].map(([id, at]) => ({
        query: this.#queries()
          .updateTable('auth_tokens')
          .set({ last_used_at: at })
          .where('id', '=', id),
      })),
    );
  }

  #queries() {
    return this.#db.queries<AuthTables>();
  }
}

export function tokenExists(name: string): AppError {
  return new AppError('TOKEN_EXISTS', `There is a token ${name}, or there was one.`, {
    hint: 'Choose another name: what was done is told by it, so none is used twice.',
  });
}

function fromRow(row: TokensRow): StoredToken {
  const { id, name, hash } = row;
  return {
    id,
    name,
    hash,
    scopes: JSON.parse(row.scopes) as Scope[],
    createdAt: row.created_at,
    createdBy: row.created_by,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

function toRow(token: StoredToken): TokensRow {
  const { id, name, hash } = token;
  return {
    id,
    name,
    hash,
    scopes: JSON.stringify(token.scopes),
    created_at: token.createdAt,
    created_by: token.createdBy,
    last_used_at: token.lastUsedAt,
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt,
  };
}
