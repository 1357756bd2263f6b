import { formatInstant, micros, type Micros } from '../../base/time.ts';
import { Prediction } from './contract.ts';
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

/**
 * A record that its table refused: any field may hold anything. What does not fit its field is
 * replaced by the first of null, its text and zero that does.
 */
export function toRefusedPrediction(record: JournaledPrediction, reason: string): Prediction {
  const instant = (at: Micros): Micros => (Number.isSafeInteger(at) ? at : micros(0));
  const readable = { ...record, now: instant(record.now), wall: instant(record.wall) };
  const shown: Record<string, unknown> = {
    ...toPrediction(readable, 'quarantine'),
    refused: reason,
  };
  for (const [name, field] of Object.entries(Prediction.shape)) {
    const value = shown[name];
    shown[name] = [value, null, String(value), 0].find((one) => field.safeParse(one).success);
  }
  return Prediction.parse(shown);
}
