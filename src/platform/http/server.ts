import type { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { assert } from '../../base/assert.ts';
import { accessByMethod } from '../../base/access.ts';
import { AppError, toAppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Log } from '../log/log.ts';
import { admit, type Access, type Caller } from './access.ts';
import { closeConnections, closeIfUnread, requestsUnderWay } from './close-connections.ts';
import type { Connections } from './connections.ts';
import { checkEncoding, checkHost, checkOrigin, type AllowedHosts } from './guards.ts';
import type { Idempotency } from './idempotency.ts';
import type { AnyRoute } from '../../base/route.ts';
import type { MountedRoute, RequestContext } from './mount.ts';
import { cutSlowClients } from './slow-clients.ts';

/**
 * Native JSON bodies are small documents; files and rows travel as streams with limits of their
 * own.
 */
const JSON_BODY_BYTES_MAX = 2 * 1024 * 1024;
/** A client that sends its headers, or all of its request, slower than this is cut off. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 120_000;
/** How late that may be noticed. */
const LOOK_AT_TIMEOUTS_MS = 5000;

export interface HttpOptions {
  readonly log: Log;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly allowedHosts: AllowedHosts;
  readonly access: Access;
  readonly connections: Connections;
  readonly routes: readonly MountedRoute[];
  readonly idempotency: Idempotency;
  /** Adds routes outside the native API: foreign protocols, event stream, UI. */
  readonly plugins: readonly ((http: FastifyInstance) => void | Promise<void>)[];
}

/** The HTTP server with everything mounted, not listening yet. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const http = Fastify({
    bodyLimit: JSON_BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_AT_TIMEOUTS_MS,
    },
    routerOptions: { maxParamLength: 300 },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    // A URL that cannot be routed at all never reaches the handlers below.
    frameworkErrors: (thrown, request, reply) => {
      void sendError(thrown, { request, reply, log: options.log });
    },
  });
  // A page of another site may send text without asking first; JSON it may not.
  http.removeContentTypeParser('text/plain');
  limitConnections(http, options.connections);
  http.decorateRequest('caller', null);
  // Every request, known route or not, passes the guards before anything reads its body.
  http.addHook('onRequest', (request, reply, done) => {
    checkHost(request.headers.host, options.allowedHosts);
    checkOrigin(request.headers, options.allowedHosts);
    checkEncoding(request.headers['content-encoding']);
    reply.header('x-content-type-options', 'nosniff');
    admit(request, reply, options.access);
    done();
  });
  http.setErrorHandler((thrown, request, reply) => {
    void sendError(thrown, { request, reply, log: options.log });
  });
  http.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!.slice(0, 200);
    const thrown = new AppError('ROUTE_NOT_FOUND', `There is no ${request.method} ${path}.`, {
      hint: 'The API is described at /api/v1/openapi.json.',
    });
    void sendError(thrown, { request, reply, log: options.log });
  });
  await http.register((scope, _, done) => {
    for (const mounted of options.routes) addRoute(scope, mounted, options);
    done();
  });
  for (const plugin of options.plugins) await http.register(async (scope) => plugin(scope));
  return http;
}

function limitConnections(http: FastifyInstance, connections: Connections): void {
  const { server } = http;
  server.maxConnections = connections.max;
  server.on('drop', () => connections.drop());
  connections.countOpen = () =>
    new Promise((resolve) => {
      server.getConnections((_, count) => {
        resolve(count);
      });
    });
  const underWay = requestsUnderWay(http);
  closeConnections(http, underWay);
  cutSlowClients(http, underWay, connections);
}

/**
 * Fastify's own failures (a broken body, a wrong content type) and anything thrown, as one form.
 */
export function toHttpError(thrown: unknown, request: FastifyRequest): AppError {
  if (thrown instanceof AppError) return thrown;
  // Where there was no room for a body, its stream was destroyed by us.
  const ours = toAppError(thrown);
  if (ours.code === 'DISK_FULL') return ours;
  // Nobody reads this answer; what the broken body led to is no bug.
  if (request.raw.destroyed && !request.raw.complete) {
    return new AppError('INVALID_INPUT', 'The client went away before its request was complete.');
  }
  const { code, message } = thrown as { code?: string; message?: string };
  switch (code ?? '') {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError('BODY_TOO_LARGE', 'The request body is too large.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The content type is not supported here.', {
        hint: 'Send JSON with Content-Type: application/json.',
      });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new AppError('INVALID_JSON', `The body is not valid JSON: ${message ?? ''}`);
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new AppError('INVALID_INPUT', 'The URL is not valid.');
    default:
  }
  // Whatever else the framework itself finds wrong with a request.
  const { statusCode = 500 } = thrown as { statusCode?: number };
  if (String(code).startsWith('FST_') && statusCode < 500) {
    return new AppError('INVALID_INPUT', `The request is not valid: ${message ?? ''}`);
  }
  if (thrown instanceof SyntaxError) {
    return new AppError('INVALID_JSON', `The body is not valid JSON: ${thrown.message}`);
  }
  return ours;
}

async function sendError(
  thrown: unknown,
  to: { request: FastifyRequest; reply: FastifyReply; log: Log },
): Promise<void> {
  const error = toHttpError(thrown, to.request);
  if (error.code === 'INTERNAL') {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    to.log.error('http.request.failed', { method: to.request.method, url: to.request.url, stack });
  }
  if (error.status === 503) to.reply.header('retry-after', '1');
  closeIfUnread(to.request, to.reply);
  await to.reply.status(error.status).send({ error: error.toBody() });
}

function addRoute(http: FastifyInstance, mounted: MountedRoute, options: HttpOptions): void {
  const { route } = mounted;
  const query = route.query instanceof z.ZodObject ? route.query.strict() : route.query;
  const add = (scope: FastifyInstance): void => {
    scope.route({
      // Load balancers ask with HEAD.
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      config: { access: route.access ?? accessByMethod(route.method) },
      handler: async (request, reply) => {
        const start = options.clock.elapsed();
        const result = await answer(mounted, { request, reply, options, query });
        options.log.debug('http.request', {
          route: route.id,
          duration_ms: Math.round(options.clock.elapsed() - start),
        });
        return result;
      },
    });
  };
  if (route.bodyType !== 'stream') {
    add(http);
    return;
  }
  void http.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    add(scope);
    done();
  });
}

async function answer(
  mounted: MountedRoute,
  on: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly options: HttpOptions;
    /** The query's schema, which takes no unknown name: a mistyped one would be ignored. */
    readonly query: AnyRoute['query'];
  },
): Promise<unknown> {
  const { route } = mounted;
  const { request, reply, options } = on;
  const parts = {
    params: parsePart(route.params, request.params, 'path'),
    query: parsePart(on.query, request.query, 'query'),
    body: route.bodyType === 'stream' ? undefined : parsePart(route.body, request.body, 'body'),
  };
  const run = async (): Promise<unknown> => {
    const result = await mounted.handle(parts, contextOf(request, reply));
    const checked = route.reply.safeParse(result);
    assert(
      checked.success,
      `the reply of ${route.id} breaks its contract: ${checked.error?.message}`,
    );
    return checked.data;
  };
  const key = request.headers['idempotency-key'];
  const isKept = route.method === 'POST' && typeof key === 'string';
  if (isKept && route.hasSecretReply === true) {
    throw new AppError('INVALID_INPUT', 'This route takes no Idempotency-Key.', {
      hint: 'Its reply holds a secret, and is not kept to be repeated.',
    });
  }
  // A stream is not read before it is known whether it is needed: its length stands for it.
  const content =
    route.bodyType === 'stream' ? request.headers['content-length'] : (parts.body ?? null);
  const result = isKept
    ? await options.idempotency.once(
        { key, scope: scopeOf(request), content: content ?? null },
        run,
      )
    : await run();
  return reply.status(route.status ?? 200).send(result);
}

/** One caller's keys are not another's: it would be told what that one was. */
function scopeOf({ caller, url }: FastifyRequest): string {
  return caller === null ? url : `${caller.name} ${url}`;
}

function contextOf(request: FastifyRequest, reply: FastifyReply): RequestContext {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return {
    actor: actorOf(request.caller, request.headers['x-millwright-actor']),
    signal: controller.signal,
    contentType: request.headers['content-type']?.split(';')[0]!.trim().toLowerCase() ?? null,
    bytes: (request.body ?? emptyBytes()) as Readable | AsyncIterable<Uint8Array>,
  };
}

// oxlint-disable-next-line eslint/require-yield -- a body without bytes
async function* emptyBytes(): AsyncIterable<Uint8Array> {}

/** Who did it: whose token it is; without one, what the client itself says, which is no proof. */
function actorOf(caller: Caller | null, header: string | string[] | undefined): string {
  if (caller !== null && !caller.namesActor) return caller.name;
  return typeof header === 'string' && /^[\w.:@-]{1,64}$/.test(header) ? header : 'api';
}

function parsePart(schema: AnyRoute['params'], value: unknown, part: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('INVALID_INPUT', describeIssues(parsed.error, part), {
    details: { issues: parsed.error.issues.map(({ path, message }) => ({ path, message })) },
  });
}

const ISSUES_SHOWN = 5;

function describeIssues(error: z.ZodError, part: string): string {
  const shown = error.issues.slice(0, ISSUES_SHOWN).map((issue) => {
    const where = [part, ...issue.path.map(String)].join('.');
    return `${where}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join('; ')}; and ${more} more` : shown.join('; ');
}
