import { AppError, ERRORS, type ErrorBody } from '../../base/errors.ts';
import {
  routeUrl,
  type AnyRoute,
  type RouteInput,
  type RouteReply,
  type UrlParts,
} from '../../base/route.ts';
import { refused, sessionNumber } from './session.ts';

interface LooseInput {
  readonly params?: UrlParts;
  readonly query?: UrlParts;
  readonly body?: unknown;
}

/**
 * Calls one native JSON route of this page's own server. Throws the server's `AppError`, or
 * SERVER_UNREACHABLE when none answers. Replies are checked against the route's schema during
 * development only: the server has parsed them already, and pages poll.
 */
export async function call<R extends AnyRoute>(
  route: R,
  input: RouteInput<R>,
  signal?: AbortSignal,
): Promise<RouteReply<R>> {
  const { params, query, body } = input as LooseInput;
  const during = sessionNumber();
  const response = await request(routeUrl(route.path, params, query), {
    method: route.method,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const reply: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    throw errorOf(reply, { operation: `${route.method} ${route.path}`, during, response });
  }
  return (import.meta.env.DEV ? route.reply.parse(reply) : reply) as RouteReply<R>;
}

/** The bytes behind a URL of this server that no JSON route describes, such as a file's. */
export async function callBytes(url: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const during = sessionNumber();
  const response = await request(url, signal === undefined ? {} : { signal });
  if (response.ok) return response.arrayBuffer();
  const reply: unknown = await response.json().catch(() => undefined);
  throw errorOf(reply, { operation: `GET ${url}`, during, response });
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new AppError('SERVER_UNREACHABLE', `Nothing answers at ${window.location.origin}.`, {
      hint: 'Start the server with `millwright up` in the workspace folder.',
      cause: error,
    });
  }
}

/** The `AppError` of a refused call; an answer that is no error body of ours says so. */
function errorOf(
  reply: unknown,
  of: { readonly operation: string; readonly during: number; readonly response: Response },
): AppError {
  const body = (reply as { error?: Partial<ErrorBody> } | undefined)?.error;
  if (body?.code !== undefined && body.code in ERRORS && body.message !== undefined) {
    if (body.code === 'UNAUTHENTICATED') refused(of.during);
    return AppError.fromBody(body as ErrorBody);
  }
  return new AppError(
    'INTERNAL',
    `${of.operation} answered ${of.response.status} without an error body.`,
    {
      hint: 'Something between this page and Millwright may have answered: check proxies.',
    },
  );
}
