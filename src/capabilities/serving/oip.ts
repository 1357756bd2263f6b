import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Scope } from '../../base/access.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Log } from '../../platform/log/log.ts';
import { toHttpError } from '../../platform/http/server.ts';
import type { PredictionLog } from '../predictions/log.ts';
import { receiveLongBodies } from './long-bodies.ts';
import type { Gateway, InferCall } from './gateway.ts';
import { inputSpecs } from './feature-inputs.ts';
import { featuresOf, type LiveRoutes, type NamedRoute } from './live-routes.ts';

/**
 * Open Inference Protocol V2 over HTTP and JSON. Model name = endpoint; the route decides the
 * version unless `/versions/N` pins one that is held warm. Where an endpoint has a feature service
 * its inputs are the service's, and the model's own are those of `NAME.raw`.
 */

/** A batch in JSON; far longer ones are better sent as several, which answer as fast. */
const INFER_BODY_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Reading a body of this size holds the event loop for at most 1.5 ms (64 KiB of parameters or of
 * nested arrays; numbers take a third of that). Longer ones are read in the worker.
 */
const READ_HERE_BYTES_MAX = 64 * 1024;

interface OipDeps {
  readonly gateway: Gateway;
  readonly routes: LiveRoutes;
  readonly predictionLog: Pick<PredictionLog, 'room'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly programVersion: string;
}

/** Who infers asks first what with. */
const METADATA: { readonly access: readonly Scope[] } = { access: ['read', 'infer'] };

export function oipRoutes(deps: OipDeps): (http: FastifyInstance) => void {
  return (http) => {
    http.removeAllContentTypeParsers();
    http.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: INFER_BODY_BYTES_MAX },
      (_, body, done) => done(null, body),
    );
    http.setErrorHandler((thrown, request, reply) => sendError(thrown, { request, reply, deps }));
    addMetadata(http, deps);
    addInfer(http, deps);
  };
}

function addMetadata(http: FastifyInstance, deps: OipDeps): void {
  const { routes } = deps;
  http.get('/v2', { config: METADATA }, () => ({
    name: 'millwright',
    version: deps.programVersion,
    extensions: [],
  }));
  // Clients differ in the key they read; both are sent.
  addGet(http, '/v2/health/live', () => ({ live: true, ready: true }));
  addGet(http, '/v2/health/ready', () => {
    assertReady(deps);
    return { live: true, ready: true };
  });
  const config = METADATA;
  http.get('/v2/models/:name', { config }, (request) =>
    describe(routes.requireName(nameOf(request)), null),
  );
  http.get('/v2/models/:name/versions/:version', { config }, (request) =>
    describe(routes.requireName(nameOf(request)), versionOf(request)),
  );
  http.get('/v2/models/:name/ready', { config }, (request) => ({
    name: routes.requireName(nameOf(request)).name,
    ready: true,
  }));
  http.get('/v2/models/:name/versions/:version/ready', { config }, (request) => {
    const named = routes.requireName(nameOf(request));
    describe(named, versionOf(request));
    return { name: named.name, ready: true };
  });
}

/** Load balancers ask with HEAD as well. */
function addGet(http: FastifyInstance, url: string, handler: () => unknown): void {
  http.route({ method: ['GET', 'HEAD'], url, config: METADATA, handler });
}

/**
 * Ready to infer: every deployed endpoint has its model in memory, and answers can be logged.
 * Throws what the next request would be told.
 */
function assertReady({ routes, predictionLog }: OipDeps): void {
  const [endpoint] = routes.failed().keys();
  if (endpoint !== undefined) routes.require(endpoint);
  if (predictionLog.room === 'full') {
    throw new AppError('LOG_FULL', 'The journal is full: no answer can be logged.');
  }
}

interface TimedRequest extends FastifyRequest {
  /** Monotonic milliseconds. */
  arrivedMs: number;
}

function addInfer(http: FastifyInstance, deps: OipDeps): void {
  const { clock } = deps;
  http.decorateRequest('arrivedMs', 0);
  const long = { from: READ_HERE_BYTES_MAX, to: INFER_BODY_BYTES_MAX };
  const longBodyOf = receiveLongBodies(http, long);
  const onRequest = (request: FastifyRequest, _: FastifyReply, done: () => void): void => {
    (request as TimedRequest).arrivedMs = clock.elapsed();
    done();
  };
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { headers } = request;
    const call: InferCall = {
      name: nameOf(request),
      version: versionOf(request),
      body: bodyOf(request, longBodyOf(request)),
      requestIdHeader: single(headers['x-request-id']),
      client: single(headers['user-agent'])?.slice(0, 200) ?? null,
      traceId: traceIdOf(single(headers['traceparent'])),
      arrivedMs: (request as TimedRequest).arrivedMs,
    };
    const answer = await deps.gateway.infer(call);
    return reply
      .status(answer.status)
      .headers({
        'content-type': 'application/json; charset=utf-8',
        'x-request-id': answer.requestId,
        'x-model-version': String(answer.modelVersion),
        'x-route-revision': String(answer.routeRevision),
      })
      .send(answer.body);
  };
  const config = { access: 'infer' } as const;
  http.post('/v2/models/:name/infer', { onRequest, config, handler });
  http.post('/v2/models/:name/versions/:version/infer', { onRequest, config, handler });
}

function describe(named: NamedRoute, version: number | null): unknown {
  const { name, route } = named;
  const versions = route.warm.map((warm) => warm.version.version);
  const chosen = version ?? route.table.ranges.at(-1)?.arm.warm.version.version;
  const warm = route.warm.find((one) => one.version.version === chosen);
  if (warm === undefined) {
    throw new AppError('MODEL_VERSION_NOT_FOUND', `${name} has no version ${version}.`, {
      hint: `Versions it holds: ${versions.join(', ')}.`,
    });
  }
  const features = featuresOf(named, warm);
  return {
    name,
    versions: versions.map(String),
    platform: 'onnxruntime_onnx',
    inputs: features === null ? warm.loaded.signature.inputs : inputSpecs(features.inputs),
    outputs: warm.loaded.signature.outputs,
  };
}

function bodyOf({ body }: FastifyRequest, long: Buffer | null): string | Buffer {
  if (long !== null) return long;
  if (!Buffer.isBuffer(body)) return '';
  return body.length <= READ_HERE_BYTES_MAX ? body.toString('utf8') : body;
}

function nameOf(request: FastifyRequest): string {
  return (request.params as { name: string }).name;
}

function versionOf(request: FastifyRequest): number | null {
  const { version } = request.params as { version?: string };
  if (version === undefined) return null;
  if (/^[1-9]\d{0,14}$/.test(version)) return Number(version);
  throw new AppError('INVALID_INPUT', `${JSON.stringify(version.slice(0, 40))} is not a version.`, {
    hint: 'Versions are whole numbers from 1.',
  });
}

function single(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null;
}

/** The trace id of a W3C `traceparent` header. */
function traceIdOf(traceparent: string | null): string | null {
  return (
    /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '')?.[1] ?? null
  );
}

function sendError(
  thrown: unknown,
  to: { request: FastifyRequest; reply: FastifyReply; deps: OipDeps },
): void {
  const error = toHttpError(thrown, to.request);
  if (error.code === 'INTERNAL') {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    to.deps.log.error('http.request.failed', { url: to.request.url, stack });
  }
  if (error.status === 503) to.reply.header('retry-after', '1');
  const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  void to.reply.status(error.status).send({ error: text });
}
