import { isIP } from 'node:net';
import { AppError } from '../../base/errors.ts';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host) || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Until authentication can be configured, nothing but this machine may reach the server. */
export function assertLoopback(host: string): void {
  if (isLoopback(host)) return;
  throw new AppError('LISTEN_NEEDS_AUTH', `Refused to listen on ${host} without authentication.`, {
    hint: 'Listen on 127.0.0.1 (the default) and reach it through an SSH tunnel or an authenticating proxy.',
  });
}

/**
 * Refuses a Host header that names somebody else: a page whose name was rebound to 127.0.0.1 sends
 * its own name (DNS rebinding).
 */
export function checkHost(header: string | undefined, allowed: readonly string[]): void {
  const name = hostName(header ?? '');
  if (name !== null && (isLoopback(name) || allowed.includes(name))) return;
  throw new AppError('HOST_NOT_ALLOWED', 'The Host header names another host.', {
    hint: 'Use http://127.0.0.1; behind a proxy, list its name in server.allowed_hosts.',
  });
}

/** Refuses a browser request that another site's page makes (cross-site request forgery). */
export function checkOrigin(header: string | undefined, allowed: readonly string[]): void {
  if (header === undefined) return;
  const name = originName(header);
  if (name !== null && (isLoopback(name) || allowed.includes(name))) return;
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
