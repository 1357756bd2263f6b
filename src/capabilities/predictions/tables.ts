import type { Column } from '../tables/contract.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import type { JournaledFeatures, JournaledLabel, JournaledPrediction } from './record.ts';

/** Namespaces of the Delta tables: one table an endpoint in each. */
export const PREDICTIONS = 'predictions';
export const LABELS = 'labels';

function column(name: string, type: Column['type'], nullable = false): Column {
  return { name, type, nullable };
}

/**
 * `predictions.<endpoint>`: a row an answered request. Instants are domain time unless named wall.
 */
export const PREDICTION_COLUMNS: readonly Column[] = [
  column('request_id', 'string'),
  column('answered_at', 'timestamp'),
  column('answered_wall', 'timestamp'),
  column('key', 'string', true),
  column('route_revision', 'long'),
  column('arm', 'string'),
  column('reason', 'string'),
  column('bucket', 'integer', true),
  column('model', 'string'),
  column('version', 'long'),
  column('digest', 'string'),
  column('runtime', 'string'),
  column('status', 'integer'),
  column('error_code', 'string', true),
  column('queue_us', 'long'),
  column('inference_us', 'long'),
  column('total_us', 'long'),
  column('client', 'string', true),
  column('trace_id', 'string', true),
  column('truncated', 'boolean'),
  column('inputs', 'string', true),
  column('outputs', 'string', true),
  column('journal', 'string'),
  column('seq', 'long'),
  // Tables of former versions end here; what follows may be null.
  column('service', 'string', true),
  column('definition', 'string', true),
  column('entity', 'string', true),
  column('features', 'string', true),
  column('watermark', 'string', true),
];

/**
 * `labels.<endpoint>`: a row a label; of several for one request the last in (journal, seq) counts.
 */
export const LABEL_COLUMNS: readonly Column[] = [
  column('request_id', 'string'),
  column('value', 'string'),
  column('occurred_at', 'timestamp'),
  column('known_at', 'timestamp'),
  column('known_wall', 'timestamp'),
  column('actor', 'string'),
  column('journal', 'string'),
  column('seq', 'long'),
];

export interface Origin {
  readonly journal: string;
  readonly seq: number;
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

export function predictionRow(record: JournaledPrediction, origin: Origin): Row {
  return {
    request_id: record.request_id,
    answered_at: formatInstant(record.now),
    answered_wall: formatInstant(record.wall),
    // Half of a surrogate pair, which the journal can hold, has no UTF-8 form.
    key: record.key?.toWellFormed() ?? null,
    route_revision: record.route_revision,
    arm: record.arm,
    reason: record.reason,
    bucket: record.bucket,
    model: record.model,
    version: record.model_version,
    digest: record.digest,
    runtime: record.runtime,
    status: record.status,
    error_code: record.error_code,
    queue_us: record.queue_us,
    inference_us: record.inference_us,
    total_us: record.total_us,
    client: record.client,
    trace_id: record.trace_id,
    truncated: record.truncated,
    inputs: document(record.request?.inputs),
    outputs: document(record.response?.outputs),
    ...origin,
    service: record.joined?.service ?? null,
    definition: record.joined?.definition ?? null,
    entity: document(record.joined?.entity ?? undefined),
    features: document(record.joined?.features ?? undefined),
    watermark: document(record.joined?.watermark ?? undefined),
  };
}

function document(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

export function labelRow(label: JournaledLabel, origin: Origin): Row {
  return {
    request_id: label.request_id,
    value: JSON.stringify(label.value),
    occurred_at: formatInstant(label.at),
    known_at: formatInstant(label.now),
    known_wall: formatInstant(label.wall),
    actor: label.actor,
    ...origin,
  };
}

/** A row of `predictions.<endpoint>`, whose table may lack the newest columns, as its record. */
export function toRecord(
  endpoint: string,
  columns: readonly Pick<Column, 'name'>[],
  row: readonly unknown[],
): JournaledPrediction {
  const cells = new Map(columns.map(({ name }, index) => [name, row[index]]));
  const cell = (name: string): never => cells.get(name) as never;
  const inputs = cell('inputs') as string | null;
  const outputs = cell('outputs') as string | null;
  return {
    request_id: cell('request_id'),
    endpoint,
    now: instant(cell('answered_at')),
    wall: instant(cell('answered_wall')),
    key: cell('key'),
    route_revision: cell('route_revision'),
    arm: cell('arm'),
    reason: cell('reason'),
    bucket: cell('bucket'),
    model: cell('model'),
    model_version: cell('version'),
    digest: cell('digest'),
    runtime: cell('runtime'),
    status: cell('status'),
    error_code: cell('error_code'),
    queue_us: cell('queue_us'),
    inference_us: cell('inference_us'),
    total_us: cell('total_us'),
    client: cell('client'),
    trace_id: cell('trace_id'),
    truncated: cell('truncated'),
    request: inputs === null ? null : { inputs: JSON.parse(inputs) as unknown },
    response: outputs === null ? null : { outputs: JSON.parse(outputs) as unknown },
    joined: toFeatures((name) => (cells.get(name) ?? null) as string | null),
  };
}

function toFeatures(cell: (name: string) => string | null): JournaledFeatures | null {
  const [service, definition] = [cell('service'), cell('definition')];
  if (service === null || definition === null) return null;
  const parsed = (name: string): unknown => {
    const text = cell(name);
    return text === null ? null : JSON.parse(text);
  };
  const [entity, features, watermark] = ['entity', 'features', 'watermark'].map(parsed);
  return { service, definition, entity, features, watermark };
}

export function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant of a table');
}
