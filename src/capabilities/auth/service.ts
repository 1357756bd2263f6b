import { timingSafeEqual } from 'node:crypto';
import { SCOPES, withIncluded, type Scope } from '../../base/access.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, micros, MICROS_PER_SECOND, type Clock } from '../../base/time.ts';
import type { Micros } from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Access, Caller } from '../../platform/http/access.ts';
import type { Log } from '../../platform/log/log.ts';
import { every, randomToken } from '../../platform/system.ts';
import { TOKENS_MAX, type NewToken, type Token, type TokenInput } from './contract.ts';
import type { Passes } from './passes.ts';
import { tokenExists, type AuthStore, type StoredToken } from './store.ts';
import { isSecret, mintToken, parseToken } from './token-text.ts';

export interface AuthDeps {
  readonly store: AuthStore;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
  readonly passes: Passes;
}

/** When tokens were used last is kept this often, so that requests wait for no database. */
const TOUCH_MS = 60_000;
/** A browser asks for the token again after this long. */
export const SESSION_MS = 7 * 24 * 3600 * 1000;
const OWN_PASS_BYTES = 32;
/** What no token has as its hash: an unknown one is compared as well, so that it takes as long. */
const NO_HASH = '0'.repeat(64);

/** A step may do what its stage is there for; tokens and clocks are none of it. */
const STEP_SCOPES: readonly Scope[] = ['read', 'write', 'infer'];

/**
 * Who may call this server. All tokens are in memory: they are few, and a request must not wait for
 * the database. One process owns a workspace, so nothing else changes them.
 */
export class AuthService implements Access {
  readonly #deps: AuthDeps;
  readonly #tokens: Map<string, StoredToken>;
  readonly #used = new Map<string, Micros>();
  readonly #stopTouching: () => void;
  /** Lets this process and the ones it starts call its own API; dies with it. */
  readonly ownPass = `mwo_${randomToken(OWN_PASS_BYTES)}`;
  /** Requests that were not let in since the start. */
  refusals = 0;

  private constructor(deps: AuthDeps, tokens: readonly StoredToken[]) {
    this.#deps = deps;
    this.#tokens = new Map(tokens.map((token) => [token.id, token]));
    this.#stopTouching = every(TOUCH_MS, () => void this.#touch());
  }

  static async open(deps: AuthDeps): Promise<AuthService> {
    return new AuthService(deps, await deps.store.all());
  }

  /** From the first token on, and for good: revoking or expiring opens nothing. */
  get isRequired(): boolean {
    return this.#tokens.size > 0;
  }

  get sessionCookie(): string {
    // Browsers send cookies to every port of a host: two workspaces must not take each other's.
    return `millwright_${this.#deps.passes.keyId}`;
  }

  async create(input: TokenInput, actor: string): Promise<NewToken> {
    const { store, events, clock } = this.#deps;
    const { name, expiresInSeconds } = input;
    const scopes = SCOPES.filter((scope) => input.scopes.includes(scope));
    this.#assertRoom(name, scopes);
    const { text, id, hash } = mintToken();
    const now = clock.wall();
    const token: StoredToken = {
      id,
      name,
      hash,
      scopes,
      createdAt: now,
      createdBy: actor,
      lastUsedAt: null,
      expiresAt:
        expiresInSeconds === undefined ? null : micros(now + expiresInSeconds * MICROS_PER_SECOND),
      revokedAt: null,
    };
    const shown = this.#shown(token);
    const data = { scopes, expiresAt: shown.expiresAt };
    const event = { actor, kind: 'token.created', subject: `token/${name}`, data };
    await store.insert(token, events.step(event));
    this.#tokens.set(id, token);
    return { ...shown, token: text };
  }

  async revoke(name: string, actor: string): Promise<Token> {
    const { store, events, clock } = this.#deps;
    const token = [...this.#tokens.values()].find((it) => it.name === name);
    if (token === undefined) {
      throw new AppError('TOKEN_NOT_FOUND', `There is no token ${name}.`, {
        hint: 'See them with: millwright auth list',
      });
    }
    if (token.revokedAt !== null) return this.#shown(token);
    const revoked = { ...token, revokedAt: clock.wall() };
    const event = { actor, kind: 'token.revoked', subject: `token/${name}`, data: {} };
    await store.revoke(token.id, revoked.revokedAt, events.step(event));
    this.#tokens.set(token.id, revoked);
    return this.#shown(revoked);
  }

  list({ cursor, limit }: PageQuery): Page<Token> {
    const before = decodeCursor(cursor, 'string');
    const newest = [...this.#tokens.values()].toReversed();
    const start = before === null ? 0 : newest.findIndex(({ name }) => name === before) + 1;
    const found = newest.slice(start, start + limit + 1).map((token) => this.#shown(token));
    return nextPage(found, limit, (last) => last.name);
  }

  identify(credential: string): Caller {
    if (this.#isOwnPass(credential)) {
      return caller('own', ['admin'], { namesActor: true, isCurrent: () => true });
    }
    const parsed = parseToken(credential);
    if (parsed !== null) return this.#holder(this.#required(parsed.id, parsed.secret));
    const pass = this.#deps.passes.read(credential);
    if (pass?.kind === 'session') return this.#holder(this.#required(pass.subject, null));
    if (pass?.kind === 'step') {
      const isCurrent = (): boolean => this.#deps.passes.read(credential) !== null;
      return caller(`step:${pass.subject}`, STEP_SCOPES, { namesActor: false, isCurrent });
    }
    throw unknown();
  }

  refused(): void {
    this.refusals += 1;
  }

  /** The value of a session's cookie, for whoever holds the token. */
  session(credential: string): string {
    const parsed = parseToken(credential);
    if (parsed === null) throw unknown();
    const { id } = this.#required(parsed.id, parsed.secret);
    return this.#deps.passes.sign({ kind: 'session', subject: id }, SESSION_MS);
  }

  async close(): Promise<void> {
    this.#stopTouching();
    await this.#touch();
  }

  #isOwnPass(credential: string): boolean {
    const [given, own] = [Buffer.from(credential), Buffer.from(this.ownPass)];
    return given.length === own.length && timingSafeEqual(given, own);
  }

  /** A token in force. Why it is not is told to those alone who had it. */
  #required(id: string, secret: string | null): StoredToken {
    const token = this.#tokens.get(id);
    const isRight = secret === null || isSecret(secret, token?.hash ?? NO_HASH);
    if (token === undefined || !isRight) throw unknown();
    const { state } = this.#shown(token);
    if (state === 'active') return token;
    const why = state === 'revoked' ? 'was revoked' : 'has expired';
    throw new AppError('UNAUTHENTICATED', `The token ${token.name} ${why}.`, { hint: HINT });
  }

  #holder({ id, name, scopes }: StoredToken): Caller {
    this.#used.set(id, this.#deps.clock.wall());
    const isCurrent = (): boolean => {
      const token = this.#tokens.get(id);
      return token !== undefined && this.#shown(token).state === 'active';
    };
    return caller(name, scopes, { namesActor: false, isCurrent });
  }

  #assertRoom(name: string, scopes: readonly Scope[]): void {
    const all = [...this.#tokens.values()];
    if (all.length === 0 && !scopes.includes('admin')) {
      throw new AppError('ADMIN_TOKEN_FIRST', 'The first token has to be an admin.', {
        hint: 'It closes the server, and others are made with it: add the scope admin.',
      });
    }
    if (all.some((token) => token.name === name)) throw tokenExists(name);
    if (all.length < TOKENS_MAX) return;
    throw new AppError('OVERLOADED', `There are ${TOKENS_MAX} tokens, more are not kept.`);
  }

  #shown(token: StoredToken): Token {
    const { id, name, scopes, createdBy } = token;
    const isExpired = token.expiresAt !== null && token.expiresAt <= this.#deps.clock.wall();
    return {
      name,
      scopes: [...scopes],
      state: token.revokedAt !== null ? 'revoked' : isExpired ? 'expired' : 'active',
      createdAt: formatInstant(token.createdAt),
      createdBy,
      lastUsedAt: instant(this.#used.get(id) ?? token.lastUsedAt),
      expiresAt: instant(token.expiresAt),
      revokedAt: instant(token.revokedAt),
    };
  }

  async #touch(): Promise<void> {
    const used = new Map(this.#used);
    this.#used.clear();
    for (const [id, at] of used) {
      const token = this.#tokens.get(id);
      if (token !== undefined) this.#tokens.set(id, { ...token, lastUsedAt: at });
    }
    if (used.size === 0) return;
    await this.#deps.store.touch(used).catch((error: unknown) => {
      this.#deps.log.warn('auth.touch.failed', { error: String(error) });
    });
  }
}

const HINT = 'Ask an admin for another: millwright auth create NAME --scope ...';

function unknown(): AppError {
  return new AppError('UNAUTHENTICATED', 'The token is not known here.', { hint: HINT });
}

function caller(
  name: string,
  scopes: readonly Scope[],
  more: Pick<Caller, 'namesActor' | 'isCurrent'>,
): Caller {
  return { name, scopes: withIncluded(scopes), ...more };
}

function instant(at: Micros | null): string | null {
  return at === null ? null : formatInstant(at);
}
