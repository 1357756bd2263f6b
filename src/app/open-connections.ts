import { toAppError } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { Events } from '../platform/events/port.ts';
import { Connections, connectionsMax, openFilesMax } from '../platform/http/connections.ts';
import type { Log } from '../platform/log/log.ts';

/** Refused connections come by the thousand; one event tells of a minute of them. */
const TELL_EVERY_MS = 60_000;

/** As many as this process has files for, with an event `connections.refused` at the limit. */
export function openConnections(on: {
  readonly events: Pick<Events, 'record'>;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly log: Log;
}): Connections {
  const { events, clock, log } = on;
  const connections = new Connections(connectionsMax(openFilesMax()));
  let toldAt = Number.NEGATIVE_INFINITY;
  connections.onDropped(() => {
    if (clock.elapsed() - toldAt < TELL_EVERY_MS) return;
    toldAt = clock.elapsed();
    const { max, dropped } = connections;
    log.warn('http.connections.refused', { max, dropped });
    const event = { actor: 'millwright', kind: 'connections.refused', subject: 'server' };
    events.record({ ...event, data: { max, dropped } }).catch((thrown: unknown) => {
      log.error('http.event.lost', { error: toAppError(thrown).message });
    });
  });
  return connections;
}
