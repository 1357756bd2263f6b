import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  accessByMethod,
  SCOPES,
  scopesOf,
  type RouteAccess,
  type Scope,
} from '../../base/access.ts';
import { AppError } from '../../base/errors.ts';

/** Who makes a request. */
export interface Caller {
  /** Of the token: the actor of what is changed. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** This very program acts for others and says for whom. */
  readonly namesActor: boolean;
  /** False once the token is revoked or has expired: ends what goes on, such as a stream. */
  isCurrent(): boolean;
}

/** Decides who may call. */
export interface Access {
  /** False while there is no token: then everybody who reaches the server may do everything. */
  readonly isRequired: boolean;
  /** The cookie in which a browser keeps its session. */
  readonly sessionCookie: string;
  /** Whose token, session or pass it is. Throws `UNAUTHENTICATED`. */
  identify(credential: string): Caller;
  /** Counts a request that was not let in. */
  refused(): void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** As `Route.access`, for what no descriptor declares. */
    readonly access?: RouteAccess;
  }
  interface FastifyRequest {
    /** Null while no token is required, and on open routes. */
    caller: Caller | null;
  }
}

/** Far longer than any token: what is longer is not looked at. */
const CREDENTIAL_LENGTH_MAX = 1024;

/** Throws `UNAUTHENTICATED` or `SCOPE_MISSING` unless the caller may make the request. */
export function admit(request: FastifyRequest, reply: FastifyReply, access: Access): void {
  if (!access.isRequired) return;
  const needed = neededBy(request);
  if (needed === 'open') return;
  try {
    request.caller = identify(request, access);
    assertScope(request.caller, scopesOf(needed));
  } catch (thrown) {
    access.refused();
    // Not Basic, at which browsers would ask for a name and password of their own.
    reply.header('www-authenticate', 'Bearer realm="millwright"');
    throw thrown;
  }
}

function assertScope({ scopes, name }: Caller, enough: readonly Scope[]): void {
  if (enough.some((scope) => scopes.has(scope))) return;
  const may = SCOPES.filter((scope) => scopes.has(scope)).join(', ');
  throw new AppError('SCOPE_MISSING', `The token ${name} may not do this: it is for ${may}.`, {
    hint: `Use a token with the scope ${enough.join(' or ')}.`,
  });
}

/** A path that leads nowhere tells so to holders of any token. */
function neededBy(request: FastifyRequest): RouteAccess {
  if (request.is404) return SCOPES;
  return request.routeOptions.config.access ?? accessByMethod(request.method);
}

function identify(request: FastifyRequest, access: Access): Caller {
  const { authorization } = request.headers;
  if (authorization !== undefined) return access.identify(readAuthorization(authorization));
  const session = readCookie(request.headers.cookie, access.sessionCookie);
  if (session === null) {
    throw new AppError('UNAUTHENTICATED', 'This server asks for a token.', {
      hint: 'Send it as Authorization: Bearer; commands take it from MILLWRIGHT_TOKEN.',
    });
  }
  checkSameOrigin(request);
  return access.identify(session);
}

/** The token of `Bearer TOKEN`, or of `Basic` the password. */
export function readAuthorization(header: string): string {
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+) *$/i.exec(header) ?? [];
  if (scheme === '' || value.length > CREDENTIAL_LENGTH_MAX) {
    throw new AppError('UNAUTHENTICATED', 'The Authorization header is not understood.', {
      hint: 'Send Authorization: Bearer TOKEN, or Basic with the token as password.',
    });
  }
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function readCookie(header: string | undefined, name: string): string | null {
  const found = header?.split(';').find((part) => part.trim().startsWith(`${name}=`));
  const value = found?.trim().slice(name.length + 1) ?? '';
  return value === '' || value.length > CREDENTIAL_LENGTH_MAX ? null : value;
}

/**
 * A browser adds the cookie by itself, also for a page that another server of this machine sends:
 * to `SameSite` all ports of one host are one site.
 */
function checkSameOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'] ?? 'none';
  const isSame = site === 'same-origin' || site === 'none';
  if (isSame && (origin === undefined || URL.parse(origin)?.host === host?.toLowerCase())) return;
  throw new AppError('ORIGIN_NOT_ALLOWED', 'The request comes from a page of another server.', {
    hint: 'Open the page that Millwright serves itself.',
  });
}
