import { AppError, toAppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { RequestHead } from '../../formats/oip/read-request.ts';
import type { AnswerFrame, AnswerJson, Inference } from '../../platform/inference/port.ts';
import {
  LOGGED_BODY_CHARS_MAX,
  RequestId,
  type AnsweredFeatures,
  type RoutingReason,
} from '../predictions/contract.ts';
import type { PredictionLog } from '../predictions/log.ts';
import { parkedBody, textBody, type InferBody } from './infer-body.ts';
import { joinFeatures } from './join-features.ts';
import { featuresOf, type LiveRoute, type LiveRoutes, type NamedRoute } from './live-routes.ts';
import { choose } from './routing.ts';
import type { WarmModel } from './warm-models.ts';

export interface InferCall {
  /** The model's name on the wire. */
  readonly name: string;
  /** A version of the model, when the caller pins one; else the route decides. */
  readonly version: number | null;
  /** Bytes (UTF-8) when it is too long to be read on this thread. */
  readonly body: string | Buffer;
  readonly requestIdHeader: string | null;
  readonly client: string | null;
  readonly traceId: string | null;
  /** Monotonic milliseconds when the request arrived. */
  readonly arrivedMs: number;
}

export interface InferAnswer {
  readonly status: number;
  readonly body: AnswerJson;
  readonly requestId: string;
  readonly modelVersion: number;
  readonly routeRevision: number;
}

/** When its request was taken up: monotonic milliseconds, domain time, machine time. */
interface Arrival {
  readonly startedMs: number;
  readonly now: Micros;
  readonly wall: Micros;
}

/** Where a request goes: fixed before its tensors are even read. */
interface Target extends NamedRoute {
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
  readonly body: AnswerJson;
  /** The answer as the log keeps it: null for an error and when it is too long. */
  readonly response: string | null;
  readonly joined: AnsweredFeatures | null;
  /** Without the reading of tensors and features. */
  readonly inferenceUs: number;
}

/** A request ready to run. */
interface Prepared {
  readonly joined: AnsweredFeatures | null;
  run(frame: AnswerFrame): Promise<AnswerJson>;
}

export interface GatewayDeps {
  readonly routes: LiveRoutes;
  readonly log: Pick<PredictionLog, 'append'>;
  readonly inference: Pick<Inference, 'park'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

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
    const { clock, routes, inference } = this.#deps;
    const at = { startedMs: clock.elapsed(), now: clock.now(), wall: clock.wall() };
    if (typeof call.body === 'string') return this.#answer(call, at, textBody(call.body));
    // What nobody serves is refused before it costs anything.
    routes.requireName(call.name);
    const body = await parkedBody(call.body, inference);
    try {
      return await this.#answer(call, at, body);
    } finally {
      body.release();
    }
  }

  async #answer(call: InferCall, at: Arrival, body: InferBody): Promise<InferAnswer> {
    const { clock, routes, log } = this.#deps;
    const named = routes.requireName(call.name);
    const { route } = named;
    const target = this.#target(call, named, body.head);
    const outcome =
      body.error === null ? await this.#run(target, body, at.now) : failure(body.error);
    const totalUs = microsSince(call.arrivedMs, clock);
    await log.append(
      {
        ...logged(target, call, outcome),
        now: at.now,
        wall: at.wall,
        request: body.logged,
        isTooLong: body.logged === null || (outcome.status === 200 && outcome.response === null),
        queueUs: Math.max(0, Math.round((at.startedMs - call.arrivedMs) * 1000)),
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

  #target(call: InferCall, named: NamedRoute, head: RequestHead | null): Target {
    const { route } = named;
    const requestId = this.#requestId(head?.id ?? null, call.requestIdHeader);
    const key = parameter(head, route.spec.key);
    const base = { ...named, requestId, key };
    if (call.version !== null) {
      return { ...base, arm: 'pinned', reason: 'pinned', bucket: null, warm: pinned(route, call) };
    }
    const sticky = parameter(head, route.spec.sticky) ?? key;
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

  async #run(target: Target, body: InferBody, at: Micros): Promise<Outcome> {
    const { clock } = this.#deps;
    let startMs = clock.elapsed();
    let prepared: Prepared | null = null;
    try {
      prepared = prepare(target, body, at);
      startMs = clock.elapsed();
      const answer = await prepared.run(answerFrame(target));
      const inferenceUs = microsSince(startMs, clock);
      const { joined } = prepared;
      const response = text(answer);
      return { status: 200, errorCode: null, body: answer, response, joined, inferenceUs };
    } catch (thrown) {
      const failed = failure(toAppError(thrown));
      const joined = prepared?.joined ?? null;
      return { ...failed, joined, inferenceUs: microsSince(startMs, clock) };
    }
  }
}

/** Reads the tensors, or joins the features of T = `at` to the entities that the body names. */
function prepare(target: Target, body: InferBody, at: Micros): Prepared {
  const { warm } = target;
  const features = featuresOf(target, warm);
  if (features === null) return { joined: null, run: body.prepare(warm) };
  const request = joinFeatures(body.envelope(), { service: features, warm, at });
  return { joined: request.features, run: (frame) => warm.loaded.answer(request, frame) };
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
    joined: outcome.joined,
  };
}

function answerFrame(target: Target): AnswerFrame {
  const { version } = target.warm;
  const before =
    `{"model_name":"${target.name}","model_version":"${version.version}",` +
    `"id":${JSON.stringify(target.requestId)},` +
    `"parameters":{"route_revision":${target.route.revision.revision},"arm":"${target.arm}"},` +
    '"outputs":';
  return { before, after: '}' };
}

/** Null when it is too long for the log. */
function text(answer: AnswerJson): string | null {
  if (typeof answer === 'string') return answer;
  return answer.length > LOGGED_BODY_CHARS_MAX ? null : Buffer.from(answer).toString('utf8');
}

/** The protocol's error form: `{"error": text}`. */
function failure(error: AppError): Outcome {
  const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const body = JSON.stringify({ error: text });
  const { status, code } = error;
  return { status, errorCode: code, body, response: null, joined: null, inferenceUs: 0 };
}

function parameter(head: RequestHead | null, name: string | null): string | null {
  if (head === null || name === null) return null;
  // What an object inherits, such as `constructor`, is no parameter.
  if (!Object.hasOwn(head.parameters, name)) return null;
  // Half of a surrogate pair has no UTF-8 form: the table would refuse the row, for ever.
  return String(head.parameters[name]).toWellFormed();
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
