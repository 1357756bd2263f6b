import { formatInstant } from '../../base/time.ts';
import type { StoredEvent } from './port.ts';

/** An event as clients see it, in lists and streams alike. */
export interface EventView extends Omit<StoredEvent, 'wall' | 'now'> {
  readonly wall: string;
  readonly now: string;
}

export function eventView(event: StoredEvent): EventView {
  return { ...event, wall: formatInstant(event.wall), now: formatInstant(event.now) };
}
