import { formatInstant } from '../../base/time.ts';
import type { Prediction } from './contract.ts';
import type { JournaledPrediction } from './record.ts';

/** A record as the API shows it. */
export function toPrediction(
  record: JournaledPrediction,
  source: Prediction['source'],
): Prediction {
  return {
    requestId: record.request_id,
    endpoint: record.endpoint,
    now: formatInstant(record.now),
    wall: formatInstant(record.wall),
    key: record.key,
    routeRevision: record.route_revision,
    arm: record.arm,
    reason: record.reason,
    bucket: record.bucket,
    model: record.model,
    modelVersion: record.model_version,
    digest: record.digest,
    runtime: record.runtime,
    status: record.status,
    errorCode: record.error_code,
    queueUs: record.queue_us,
    inferenceUs: record.inference_us,
    totalUs: record.total_us,
    inputs: record.request?.inputs ?? null,
    outputs: record.response?.outputs ?? null,
    truncated: record.truncated,
    features: record.joined ?? null,
    client: record.client,
    traceId: record.trace_id,
    source,
  };
}
