import type { EventInput } from '../../platform/events/port.ts';
import type { RefusedRecord } from './quarantine.ts';

/** Records an event names; all of them are in the quarantine table. */
const NAMED_MAX = 20;

/** What one flush put into quarantine, an event an endpoint. */
export function refusalEvents(refused: readonly RefusedRecord[]): readonly EventInput[] {
  return [...Map.groupBy(refused, ({ endpoint }) => endpoint)].map(([endpoint, records]) => ({
    actor: 'millwright',
    kind: 'prediction.quarantined',
    subject: `endpoint/${endpoint}`,
    data: {
      count: records.length,
      records: records
        .slice(0, NAMED_MAX)
        .map(({ kind, requestId, reason, seq }) => ({ kind, requestId, reason, seq })),
    },
  }));
}
