import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accessByMethod, type Scope } from '../../base/access.ts';
import { AppError } from '../../base/errors.ts';
import { toMlflowFailure } from '../../formats/mlflow/errors.ts';
import { invalidValue, missing } from '../../formats/mlflow/names.ts';
import { isJsonDeeperThan } from '../../base/json-depth.ts';
import type { Log } from '../log/log.ts';
import { closeIfUnread } from './close-connections.ts';
import { toHttpError } from './server.ts';

/** JSON of this size parses in about 10 ms, the longest the event loop may be held. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** MLflow's messages nest four deep. */
const BODY_DEPTH_MAX = 32;

/** One operation of MLflow's REST API. */
export interface MlflowCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Without the prefix, such as `2.0/mlflow/runs/create`; `:name` are parts of the path. */
  readonly path: string;
  readonly answer: (request: FastifyRequest) => Promise<unknown>;
}

/** Declares an operation: its query, path and body are one message, parsed by `schema`. */
export function mlflowCall<Schema extends z.ZodType>(
  method: MlflowCall['method'],
  path: string,
  schema: Schema,
  handle: (message: z.output<Schema>, request: FastifyRequest) => Promise<unknown>,
): MlflowCall {
  return {
    method,
    path,
    answer: async (request) => handle(readMessage(schema, request), request),
  };
}

/** Who did it, for events: MLflow's clients send no name of their own. */
export function mlflowActor({ caller }: FastifyRequest): string {
  return caller?.name ?? 'mlflow';
}

/** Mounts operations under `/api/` and the `/ajax-api/` twin that user interfaces use. */
export function mountMlflow(http: FastifyInstance, log: Log, calls: readonly MlflowCall[]): void {
  mlflowErrors(http, log);
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: BODY_BYTES_MAX },
    (_, body, done) => done(null, body),
  );
  for (const { method, path, answer } of calls) {
    for (const prefix of ['/api/', '/ajax-api/']) {
      http.route({
        method: method,
        url: `${prefix}${path}`,
        config: { access: accessOf(method, path) },
        handler: async (request, reply) => {
          const result = await answer(request);
          return reply.header('content-type', 'application/json').send(result ?? {});
        },
      });
    }
  }
}

/** Searches read, though their queries are too long for a URL. */
function accessOf(method: MlflowCall['method'], path: string): Scope {
  return /\/(?:search|get-latest-versions)$/.test(path) ? 'read' : accessByMethod(method);
}

/** Tells clients of what is not spoken here in the form they read: traces, webhooks, scorers. */
export function refuseOtherCalls(http: FastifyInstance, log: Log): void {
  mlflowErrors(http, log);
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
  for (const prefix of ['/api/2.0/mlflow/*', '/api/3.0/mlflow/*', '/ajax-api/*']) {
    http.all(prefix, (request) => {
      const path = request.url.split('?')[0]!.slice(0, 200);
      throw new AppError('ROUTE_NOT_FOUND', `There is no ${request.method} ${path} here.`);
    });
  }
}

/** Answers every failure of the scope in MLflow's form. */
export function mlflowErrors(http: FastifyInstance, log: Log): void {
  http.setErrorHandler((thrown, request, reply) => {
    sendMlflowError(thrown, { request, reply, log });
  });
}

function sendMlflowError(
  thrown: unknown,
  to: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly log: Log },
): void {
  const error = toHttpError(thrown, to.request);
  if (error.code === 'INTERNAL') {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    to.log.error('http.request.failed', { url: to.request.url, stack });
  }
  const { status, body } = toMlflowFailure(error);
  if (status === 503) to.reply.header('retry-after', '1');
  closeIfUnread(to.request, to.reply);
  void to.reply.status(status).header('content-type', 'application/json').send(body);
}

function readMessage<Schema extends z.ZodType>(
  schema: Schema,
  request: FastifyRequest,
): z.output<Schema> {
  const fields = [
    ...Object.entries(request.query as object),
    ...Object.entries(readBody(request.body)),
    ...Object.entries(request.params as object),
  ];
  // To protobuf a null is a field that was not set.
  const message = Object.fromEntries(fields.filter(([, value]) => value !== null));
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  throw describe(parsed.error, message);
}

/** Some clients send the JSON as a JSON string once more. */
function readBody(body: unknown): object {
  if (typeof body !== 'string' || body.trim() === '') return {};
  if (isJsonDeeperThan(body, BODY_DEPTH_MAX))
    throw new AppError('INVALID_JSON', 'Nested too deep.');
  let value = parseJson(body);
  if (typeof value === 'string') value = parseJson(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new AppError('INVALID_JSON', 'The body is not a JSON object.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new AppError('INVALID_JSON', `The body is not valid JSON: ${(thrown as Error).message}`);
  }
}

/** The first problem in the words that MLflow's clients match on. */
function describe(error: z.ZodError, message: object): AppError {
  const issue = error.issues[0]!;
  const path = issue.path.reduce<string>(
    (text, part) =>
      typeof part === 'number'
        ? `${text}[${part}]`
        : `${text}${text === '' ? '' : '.'}${String(part)}`,
    '',
  );
  let value: unknown = message;
  for (const part of issue.path)
    value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  return value === undefined ? missing(path) : invalidValue(path, value, issue.message);
}
