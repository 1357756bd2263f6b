import type { Micros } from '../../base/time.ts';
import { LOGGED_BODY_CHARS_MAX, type AnsweredFeatures, type RoutingReason } from './contract.ts';

/** What the gateway knows of one answered request. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly endpoint: string;
  readonly now: Micros;
  readonly wall: Micros;
  readonly key: string | null;
  readonly routeRevision: number;
  readonly arm: string;
  readonly reason: RoutingReason;
  readonly bucket: number | null;
  readonly model: string;
  readonly modelVersion: number;
  readonly digest: string;
  readonly runtime: string;
  readonly status: number;
  readonly errorCode: string | null;
  readonly queueUs: number;
  readonly inferenceUs: number;
  readonly totalUs: number;
  readonly client: string | null;
  readonly traceId: string | null;
  /**
   * The `inputs` and `outputs` documents as JSON text; null when there is none or it was too long.
   */
  readonly request: string | null;
  readonly response: string | null;
  /** Null when the request brought the model's own tensors. */
  readonly joined: AnsweredFeatures | null;
  /** Either was too long to log and is missing here for that reason. */
  readonly isTooLong?: boolean;
}

/** The journal's form of it: one JSON object, its bodies embedded as they came. */
export interface JournaledPrediction {
  readonly request_id: string;
  readonly endpoint: string;
  readonly now: Micros;
  readonly wall: Micros;
  readonly key: string | null;
  readonly route_revision: number;
  readonly arm: string;
  readonly reason: RoutingReason;
  readonly bucket: number | null;
  readonly model: string;
  readonly model_version: number;
  readonly digest: string;
  readonly runtime: string;
  readonly status: number;
  readonly error_code: string | null;
  readonly queue_us: number;
  readonly inference_us: number;
  readonly total_us: number;
  readonly client: string | null;
  readonly trace_id: string | null;
  readonly truncated: boolean;
  readonly request: { readonly inputs?: unknown } | null;
  readonly response: { readonly outputs?: unknown } | null;
  /** Absent in records of former versions. */
  readonly joined?: JournaledFeatures | null;
}

export interface JournaledFeatures {
  readonly service: string;
  readonly definition: string;
  /** Null when the record was too long. */
  readonly entity: unknown;
  readonly features: unknown;
  readonly watermark: unknown;
}

/** A known outcome, addressed by request id; its revision is its order in the journal. */
export interface JournaledLabel {
  readonly request_id: string;
  readonly endpoint: string;
  readonly value: number | string | boolean;
  /** When the outcome happened, domain time. */
  readonly at: Micros;
  readonly now: Micros;
  readonly wall: Micros;
  readonly actor: string;
}

/**
 * Encodes by concatenation: the bodies are valid JSON already and dominate the record, so parsing
 * and printing them again would cost more than everything else.
 */
export function encodePrediction(answered: AnsweredRequest): string {
  const { request, response, joined } = answered;
  const isLong =
    answered.isTooLong === true ||
    (request?.length ?? 0) > LOGGED_BODY_CHARS_MAX ||
    (response?.length ?? 0) > LOGGED_BODY_CHARS_MAX ||
    (joined?.features.length ?? 0) > LOGGED_BODY_CHARS_MAX;
  return (
    `{"request_id":${JSON.stringify(answered.requestId)},"endpoint":"${answered.endpoint}",` +
    `"now":${answered.now},"wall":${answered.wall},"key":${text(answered.key)},` +
    `"route_revision":${answered.routeRevision},"arm":"${answered.arm}",` +
    `"reason":"${answered.reason}","bucket":${answered.bucket},` +
    `"model":${JSON.stringify(answered.model)},"model_version":${answered.modelVersion},` +
    `"digest":"${answered.digest}","runtime":${JSON.stringify(answered.runtime)},` +
    `"status":${answered.status},"error_code":${text(answered.errorCode)},` +
    `"queue_us":${answered.queueUs},"inference_us":${answered.inferenceUs},` +
    `"total_us":${answered.totalUs},"client":${text(answered.client)},` +
    `"trace_id":${text(answered.traceId)},"truncated":${isLong},` +
    `"request":${isLong ? null : request},"response":${isLong ? null : response},` +
    `"joined":${joined === null ? null : encodeFeatures(joined, isLong)}}`
  );
}

function encodeFeatures(joined: AnsweredFeatures, isLong: boolean): string {
  const { service, definition, entity, features, watermark } = joined;
  return (
    `{"service":${JSON.stringify(service)},"definition":"${definition}",` +
    `"entity":${isLong ? null : entity},"features":${isLong ? null : features},` +
    `"watermark":${watermark}}`
  );
}

function text(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}
