import { AppError, toAppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { isJsonDeeperThan } from '../../base/json-depth.ts';
import type { Clock } from '../../base/time.ts';
import {
  readEnvelope,
  type InferEnvelope,
  type InferRequest,
} from '../../formats/oip/read-request.ts';
import { outputsJson } from '../../formats/oip/write-response.ts';
import { RequestId, type RoutingReason } from '../predictions/contract.ts';
import type { PredictionLog } from '../predictions/log.ts';
import type { LiveRoute, LiveRoutes } from './live-routes.ts';
import { choose } from './routing.ts';
import type { WarmModel } from './warm-models.ts';

export interface InferCall {
  readonly endpoint: string;
  /** A version of the model, when the caller pins one; else the route decides. */
  readonly version: number | null;
  readonly body: string;
  readonly requestIdHeader: string | null;
  readonly client: string | null;
  readonly traceId: string | null;
  /** Monotonic milliseconds when the request arrived. */
  readonly arrivedMs: number;
}

export interface InferAnswer {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
  readonly modelVersion: number;
  readonly routeRevision: number;
}

/** Where a request goes: fixed before its tensors are even read. */
interface Target {
  readonly route: LiveRoute;
  readonly requestId: string;
  readonly key: string | null;
  readonly arm: string;
  readonly reason: RoutingReason;
  readonly bucket: number | null;
  readonly warm: WarmModel;
}

interface Outcome {
  readonly status: number;
  readonly errorCode: string | null;
  readonly body: string;
  /** The answer as the log keeps it: null for an error. */
  readonly response: string | null;
  readonly inferenceUs: number;
}

export interface GatewayDeps {
  readonly routes: LiveRoutes;
  readonly log: Pick<PredictionLog, 'append'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

const REQUEST_CHARS_LOGGED_WHEN_BROKEN = 4096;
/** Levels of arrays and objects in a request; real ones have four and the rank of their tensors. */
const NESTING_MAX = 100;

/** The request path: route, validate, run, journal, answer. No SQL, no other process. */
export class Gateway {
  readonly #deps: GatewayDeps;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
  }

  /**
   * Every request that reaches a live endpoint is answered and logged, failed ones included.
   * Rejects (unlogged) for an unknown endpoint or version, and when the log itself cannot be
   * written.
   */
  async infer(call: InferCall): Promise<InferAnswer> {
    const { clock, routes, log } = this.#deps;
    const startedMs = clock.elapsed();
    const [now, wall] = [clock.now(), clock.wall()];
    const route = routes.require(call.endpoint);
    const parsed = parseBody(call.body);
    const target = this.#target(call, { route, envelope: parsed.envelope });
    const outcome =
      parsed.error === null ? await this.#run(target, parsed.envelope) : failure(parsed.error, 0);
    const totalUs = microsSince(call.arrivedMs, clock);
    await log.append(
      {
        ...logged(target, call, outcome),
        now,
        wall,
        request: parsed.isJson ? call.body : brokenBody(call.body),
        queueUs: Math.max(0, Math.round((startedMs - call.arrivedMs) * 1000)),
        totalUs,
      },
      route.spec.durability,
    );
    return {
      status: outcome.status,
      body: outcome.body,
      requestId: target.requestId,
      modelVersion: target.warm.version.version,
      routeRevision: route.revision.revision,
    };
  }

  #target(
    call: InferCall,
    on: { readonly route: LiveRoute; readonly envelope: InferEnvelope | null },
  ): Target {
    const { route, envelope } = on;
    const requestId = this.#requestId(envelope?.id ?? null, call.requestIdHeader);
    const key = parameter(envelope, route.spec.key);
    const base = { route, requestId, key };
    if (call.version !== null) {
      return { ...base, arm: 'pinned', reason: 'pinned', bucket: null, warm: pinned(route, call) };
    }
    const sticky = parameter(envelope, route.spec.sticky) ?? key;
    const { arm, bucket } = choose(route.table, sticky ?? requestId);
    const reason = sticky === null ? 'weight' : 'sticky';
    return { ...base, arm: arm.name, reason, bucket, warm: arm.warm };
  }

  /** The caller's id when it has a usable one, so that its own logs lead here. */
  #requestId(id: string | null, header: string | null): string {
    const given = id ?? header;
    if (given !== null && RequestId.safeParse(given).success) return given;
    return this.#deps.ids.next('req');
  }

  async #run(target: Target, envelope: InferEnvelope): Promise<Outcome> {
    const { clock } = this.#deps;
    const { warm } = target;
    let startMs = clock.elapsed();
    try {
      const request: InferRequest = warm.read(envelope);
      startMs = clock.elapsed();
      const outputs = await warm.loaded.run(request.inputs, request.outputs);
      const inferenceUs = microsSince(startMs, clock);
      const body = responseJson(target, outputsJson(outputs));
      return { status: 200, errorCode: null, body, response: body, inferenceUs };
    } catch (thrown) {
      return failure(toAppError(thrown), microsSince(startMs, clock));
    }
  }
}

function logged(
  target: Target,
  call: InferCall,
  outcome: Outcome,
): Omit<
  Parameters<PredictionLog['append']>[0],
  'now' | 'wall' | 'request' | 'queueUs' | 'totalUs'
> {
  const { route, warm } = target;
  return {
    requestId: target.requestId,
    endpoint: route.endpoint,
    key: target.key,
    routeRevision: route.revision.revision,
    arm: target.arm,
    reason: target.reason,
    bucket: target.bucket,
    model: warm.version.model,
    modelVersion: warm.version.version,
    digest: warm.version.digest,
    runtime: warm.loaded.runtime,
    status: outcome.status,
    errorCode: outcome.errorCode,
    inferenceUs: outcome.inferenceUs,
    client: call.client,
    traceId: call.traceId,
    response: outcome.response,
  };
}

function parseBody(
  text: string,
):
  | { readonly isJson: true; readonly envelope: InferEnvelope; readonly error: null }
  | { readonly isJson: boolean; readonly envelope: null; readonly error: AppError } {
  if (isJsonDeeperThan(text, NESTING_MAX)) {
    const error = new AppError('INVALID_JSON', `The body is nested deeper than ${NESTING_MAX}.`);
    return { isJson: false, envelope: null, error };
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const error = new AppError('INVALID_JSON', `The body is not valid JSON: ${why.slice(0, 200)}`, {
      hint: 'NaN and Infinity have no JSON form.',
    });
    return { isJson: false, envelope: null, error };
  }
  try {
    return { isJson: true, envelope: readEnvelope(body), error: null };
  } catch (thrown) {
    return { isJson: true, envelope: null, error: toAppError(thrown) };
  }
}

function brokenBody(body: string): string {
  return JSON.stringify(body.slice(0, REQUEST_CHARS_LOGGED_WHEN_BROKEN));
}

function responseJson(target: Target, outputs: string): string {
  const { version } = target.warm;
  return (
    `{"model_name":"${target.route.endpoint}","model_version":"${version.version}",` +
    `"id":${JSON.stringify(target.requestId)},` +
    `"parameters":{"route_revision":${target.route.revision.revision},"arm":"${target.arm}"},` +
    `"outputs":${outputs}}`
  );
}

/** The protocol's error form: `{"error": text}`. */
function failure(error: AppError, inferenceUs: number): Outcome {
  const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const body = JSON.stringify({ error: text });
  return { status: error.status, errorCode: error.code, body, response: null, inferenceUs };
}

function parameter(envelope: InferEnvelope | null, name: string | null): string | null {
  if (envelope === null || name === null) return null;
  // What an object inherits, such as `constructor`, is no parameter.
  if (!Object.hasOwn(envelope.parameters, name)) return null;
  // Half of a surrogate pair has no UTF-8 form: the table would refuse the row, for ever.
  return String(envelope.parameters[name]).toWellFormed();
}

function pinned(route: LiveRoute, call: InferCall): WarmModel {
  const found = route.warm.find(({ version }) => version.version === call.version);
  if (found !== undefined) return found;
  const warm = route.warm.map(({ version }) => version.version).join(', ');
  throw new AppError(
    'MODEL_VERSION_NOT_FOUND',
    `Endpoint ${route.endpoint} does not hold version ${call.version} ready.`,
    { hint: `Versions it holds: ${warm}.` },
  );
}

function microsSince(startMs: number, clock: Pick<Clock, 'elapsed'>): number {
  return Math.round((clock.elapsed() - startMs) * 1000);
}
