import { z } from 'zod';
import { SCOPES } from '../../base/access.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** Tokens ever made in a workspace, revoked ones included: they are all held in memory. */
export const TOKENS_MAX = 10_000;
/** Ten years: longer is as good as without an end, and should be said so. */
const EXPIRES_SECONDS_MAX = 10 * 366 * 24 * 3600;

/** The actor of what is changed with it; no `:`, so that it looks like nobody of our own. */
export const TokenName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.@-]{0,62}$/, 'letters, digits and . _ @ -, at most 63');

export const TokenScope = z.enum(SCOPES);

export const Token = z.object({
  name: z.string(),
  scopes: z.array(TokenScope),
  state: z.enum(['active', 'expired', 'revoked']),
  /** The machine's time, RFC 3339, as everything about tokens. */
  createdAt: z.string(),
  createdBy: z.string(),
  /** To the minute; null when it never was. */
  lastUsedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
});
export type Token = z.infer<typeof Token>;

/** With the token itself, which is told this once. */
export const NewToken = Token.extend({ token: z.string() });
export type NewToken = z.infer<typeof NewToken>;

export const TokenInput = z.strictObject({
  name: TokenName,
  scopes: z.array(TokenScope).min(1).max(SCOPES.length),
  /** From now on; without it the token does not expire. */
  expiresInSeconds: z.number().int().min(1).max(EXPIRES_SECONDS_MAX).optional(),
});
export type TokenInput = z.infer<typeof TokenInput>;

export const createToken = route({
  id: 'auth.tokens.create',
  method: 'POST',
  path: '/api/v1/auth/tokens',
  summary: 'Create a token, shown this once; the first one is an admin and closes the server',
  access: 'admin',
  hasSecretReply: true,
  body: TokenInput,
  reply: NewToken,
  status: 201,
});

export const listTokens = route({
  id: 'auth.tokens.list',
  method: 'GET',
  path: '/api/v1/auth/tokens',
  summary: 'Tokens, newest first, without their secrets',
  access: 'admin',
  query: PageQuery,
  reply: pageOf(Token),
});

export const revokeToken = route({
  id: 'auth.tokens.revoke',
  method: 'POST',
  path: '/api/v1/auth/tokens/:token/revoke',
  summary: 'Revoke a token by its name, at once and for good',
  access: 'admin',
  params: z.object({ token: TokenName }),
  reply: Token,
});

/** POST with a token makes a browser session, a cookie; DELETE ends it. */
export const SESSION_PATH = '/api/v1/auth/session';

/** What a token looks like: `mwt_`, its number, its secret. */
export const TOKEN_PATTERN = /^mwt_[0-9a-f]{12}_[0-9a-f]{64}$/;
