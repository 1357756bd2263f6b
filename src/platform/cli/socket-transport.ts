import { Agent, request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../base/errors.ts';
import type { Transport } from './http-api.ts';

/**
 * Speaks to the owner of the workspace over its socket, on connections that stay open; `timeoutMs`
 * bounds each request (default: not at all, because a deployment or an upload takes as long as it
 * takes).
 */
export function socketTransport(
  baseUrl: string,
  options: { readonly timeoutMs?: number } = {},
): Transport {
  const agent = new Agent({ keepAlive: true });
  return async ({ method, url, headers, body }) => {
    try {
      const response = await answerTo(new URL(url, baseUrl), body, {
        method,
        agent,
        headers: { ...headers, ...lengthOf(body) },
        ...(options.timeoutMs === undefined
          ? {}
          : { signal: AbortSignal.timeout(options.timeoutMs) }),
      });
      return { status: response.statusCode ?? 0, body: await text(response) };
    } catch (thrown) {
      throw new AppError('SERVER_UNREACHABLE', `${baseUrl} does not answer.`, {
        hint: 'Is it still running? Start it with: millwright up',
        cause: thrown,
      });
    }
  };
}

type Body = string | Buffer | Readable | null;

function isWhole(body: Body): body is string | Buffer | null {
  return body === null || typeof body === 'string' || Buffer.isBuffer(body);
}

function lengthOf(body: Body): { readonly 'content-length'?: number } {
  return isWhole(body) && body !== null ? { 'content-length': Buffer.byteLength(body) } : {};
}

/** A server may answer, and refuse, before it has read all of a stream. */
function answerTo(
  url: URL,
  body: Body,
  options: Parameters<typeof request>[1] & object,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, resolve);
    asked.on('error', reject);
    if (isWhole(body)) asked.end(body ?? undefined);
    else pipeline(body, asked).catch(reject);
  });
}
