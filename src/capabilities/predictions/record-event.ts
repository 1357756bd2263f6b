import { toAppError } from '../../base/errors.ts';
import type { EventInput, Events } from '../../platform/events/port.ts';
import type { Log } from '../../platform/log/log.ts';

export interface RecordDeps {
  readonly events: Pick<Events, 'record'>;
  readonly log: Log;
}

/** Makes known what nobody waits for; while the database takes no event the log has to do. */
export function recordEvent(event: EventInput, { events, log }: RecordDeps): void {
  events.record(event).catch((thrown: unknown) => {
    const { kind, subject, data } = event;
    log.error('predictions.event.lost', {
      kind,
      subject,
      data,
      error: toAppError(thrown).message,
    });
  });
}
