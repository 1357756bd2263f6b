import { isIP } from 'node:net';
import { AppError } from '../../base/errors.ts';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host) || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Until there is a token, nothing but this machine may reach the server. */
export function assertLoopback(host: string): void {
  if (isLoopback(host)) return;
  throw new AppError('LISTEN_NEEDS_AUTH', `Refused to listen on ${host} without authentication.`, {
    hint: 'Create a token first: millwright auth create NAME --scope admin',
  });
}

/** What a Host header may say besides loopback. */
export interface AllowedHosts {
  readonly names: readonly string[];
  /** Any address, which no name can be rebound to: of a server that listens on all of them. */
  readonly anyAddress: boolean;
}

/** Of a server that listens on `host`, with the names that its configuration adds. */
export function allowedHosts(host: string, names: readonly string[]): AllowedHosts {
  const anyAddress = host === '0.0.0.0' || host === '::';
  return { names: [...names, host.toLowerCase(), `[${host.toLowerCase()}]`], anyAddress };
}

function isAllowed(name: string, { names, anyAddress }: AllowedHosts): boolean {
  if (isLoopback(name) || names.includes(name)) return true;
  return anyAddress && isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/**
 * Refuses a Host header that names somebody else: a page whose name was rebound to 127.0.0.1 sends
 * its own name (DNS rebinding).
 */
export function checkHost(header: string | undefined, allowed: AllowedHosts): void {
  const name = hostName(header ?? '');
  if (name !== null && isAllowed(name, allowed)) return;
  throw new AppError('HOST_NOT_ALLOWED', 'The Host header names another host.', {
    hint: 'Use http://127.0.0.1; behind a proxy, list its name in server.allowed_hosts.',
  });
}

/** Refuses a browser request that another site's page makes (cross-site request forgery). */
export function checkOrigin(
  headers: { readonly origin?: string | undefined; readonly host?: string | undefined },
  allowed: AllowedHosts,
): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  const name = originName(origin);
  // An address is allowed as the one that was asked, not as any page's.
  const own = { names: [...allowed.names, hostName(host ?? '') ?? ''], anyAddress: false };
  if (name !== null && isAllowed(name, own)) return;
  throw new AppError('ORIGIN_NOT_ALLOWED', 'The request comes from a page of another site.', {
    hint: 'Open the page that Millwright serves itself.',
  });
}

/** Refuses a compressed body: read as it is, it would be no JSON, or a model of the wrong bytes. */
export function checkEncoding(header: string | undefined): void {
  if (header === undefined || header.toLowerCase() === 'identity') return;
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not read.', {
    hint: 'Send the body without Content-Encoding.',
  });
}

function hostName(header: string): string | null {
  const match = /^(\[[0-9a-f:]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header);
  return match?.[1]?.toLowerCase() ?? null;
}

function originName(header: string): string | null {
  try {
    return new URL(header).hostname.toLowerCase();
  } catch {
    return null;
  }
}
