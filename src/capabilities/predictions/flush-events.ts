import path from 'node:path';
import type { EventInput } from '../../platform/events/port.ts';
import type { FlushOutcome } from './flush.ts';
import type { RefusedRecord } from './quarantine.ts';

/** Records an event names; all of them are in the quarantine table. */
const NAMED_MAX = 20;

/** What a flush has to tell besides its numbers. */
export function flushEvents({ refused, torn }: FlushOutcome): readonly EventInput[] {
  return [...refusalEvents(refused), ...tornEvents(torn)];
}

/** What went into quarantine, an event an endpoint. */
function refusalEvents(refused: readonly RefusedRecord[]): readonly EventInput[] {
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

function tornEvents(torn: FlushOutcome['torn']): readonly EventInput[] {
  return torn.map(({ file, records }) => ({
    actor: 'millwright',
    kind: 'journal.torn',
    subject: `journal/${path.basename(file)}`,
    data: { file, records },
  }));
}
