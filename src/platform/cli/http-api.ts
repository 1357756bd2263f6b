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
  readonly body: string | Buffer | Readable | null;
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
      body: isStream ? toBody(options.bytes) : hasBody ? JSON.stringify(body) : null,
    });
    const value: unknown = parse(reply.body);
    if (reply.status >= 400) throw toError(reply.status, value);
    return route.reply.parse(value) as RouteReply<R>;
  }
}

function toBody(bytes: CallOptions['bytes']): Buffer | Readable {
  if (bytes === undefined) return Buffer.alloc(0);
  if (!(bytes instanceof Uint8Array)) return Readable.from(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
