import { Readable } from 'node:stream';
import { AppError, ERRORS, type ErrorBody } from '../../base/errors.ts';
import {
  routeUrl,
  type AnyRoute,
  type RouteInput,
  type RouteReply,
  type UrlParts,
} from '../../base/route.ts';
import type { Api, CallOptions } from './context.ts';

/** Sends one request and answers its status and body, over a socket or inside this process. */
export type Transport = (request: {
  readonly method: AnyRoute['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable | null;
}) => Promise<{ readonly status: number; readonly body: string }>;

interface AnyInput {
  readonly params?: UrlParts;
  readonly query?: UrlParts;
  readonly body?: unknown;
}

/** The native API over a transport: commands and examples use the same contracts as the UI. */
export class HttpApi implements Api {
  readonly #transport: Transport;
  readonly #actor: string;
  readonly #token: string | undefined;

  constructor(
    transport: Transport,
    options: { readonly actor: string; readonly token?: string | undefined },
  ) {
    this.#transport = transport;
    this.#actor = options.actor;
    this.#token = options.token;
  }

  async call<R extends AnyRoute>(
    route: R,
    input: RouteInput<R>,
    options: CallOptions = {},
  ): Promise<RouteReply<R>> {
    const { params, query, body } = input as AnyInput;
    const isStream = route.bodyType === 'stream';
    const contentType = isStream
      ? (options.contentType ?? 'application/octet-stream')
      : 'application/json';
    const hasBody = isStream || body !== undefined;
    const reply = await this.#transport({
      method: route.method,
      url: routeUrl(route.path, params, query),
      headers: {
        'x-millwright-actor': this.#actor,
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(hasBody ? { 'content-type': contentType } : {}),
      },
      body: isStream ? toReadable(options.bytes) : hasBody ? JSON.stringify(body) : null,
    });
    const value: unknown = parse(reply.body);
    if (reply.status >= 400) throw toError(reply.status, value);
    return route.reply.parse(value) as RouteReply<R>;
  }
}

function toReadable(bytes: CallOptions['bytes']): Readable {
  if (bytes === undefined) return Readable.from([]);
  return bytes instanceof Uint8Array ? Readable.from([bytes]) : Readable.from(bytes);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function toError(status: number, value: unknown): AppError {
  const error = (value as { error?: Partial<ErrorBody> } | null)?.error;
  if (typeof error?.code === 'string' && error.code in ERRORS) {
    return AppError.fromBody(error as ErrorBody);
  }
  return new AppError('INTERNAL', `The server answered ${status} without an explanation.`);
}

/**
 * Speaks to the owner of the workspace over its socket; `timeoutMs` bounds each request (default:
 * not at all, because a deployment or an upload takes as long as it takes).
 */
export function socketTransport(
  baseUrl: string,
  options: { readonly timeoutMs?: number } = {},
): Transport {
  const { timeoutMs } = options;
  return async ({ method, url, headers, body }) => {
    let response: Response;
    try {
      response = await fetch(new URL(url, baseUrl), {
        method,
        headers,
        ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
        ...(body === null ? {} : { body: body as never, duplex: 'half' }),
      });
    } catch (thrown) {
      throw new AppError('SERVER_UNREACHABLE', `${baseUrl} does not answer.`, {
        hint: 'Is it still running? Start it with: millwright up',
        cause: thrown,
      });
    }
    return { status: response.status, body: await response.text() };
  };
}
