import { toAppError } from '../base/errors.ts';
import type { RunningEngine } from '../platform/engine/port.ts';
import type { Events } from '../platform/events/port.ts';
import type { Log } from '../platform/log/log.ts';

/** Events of an engine that is paused because it dies in a loop, and of its recovery. */
export function recordCircuit(
  engine: Pick<RunningEngine, 'onCircuit'>,
  on: { readonly events: Pick<Events, 'record'>; readonly log: Log },
): void {
  engine.onCircuit((change, { deaths, exit, during }) => {
    const event = { actor: 'millwright', kind: `engine.${change}`, subject: 'engine' };
    on.events.record({ ...event, data: { deaths, exit, during } }).catch((thrown: unknown) => {
      on.log.error('engine.event.lost', { change, error: toAppError(thrown).message });
    });
  });
}
