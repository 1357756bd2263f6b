import type { Journal } from '../../platform/journal/journal.ts';
import { recordEvent, type RecordDeps } from './record-event.ts';

/** How full the journal is: `filling` from half of what it may hold, `full` when it refuses. */
export type Room = 'roomy' | 'filling' | 'full';

const KINDS: Readonly<Record<Room, string>> = {
  roomy: 'journal.drained',
  filling: 'journal.half_filled',
  full: 'journal.filled',
};

export interface LogRoomDeps extends RecordDeps {
  readonly journal: Pick<Journal, 'bytes' | 'bytesMax' | 'segments' | 'writer'>;
}

/** Watches the journal's size and tells of it by event, once each time it changes. */
export class LogRoom {
  readonly #deps: LogRoomDeps;
  #state: Room = 'roomy';

  constructor(deps: LogRoomDeps) {
    this.#deps = deps;
  }

  get state(): Room {
    return this.#state;
  }

  /** Looks again; `why` is what keeps records from their tables, as far as anybody knows. */
  look(why: string | null): void {
    const { bytes, bytesMax, segments, writer } = this.#deps.journal;
    const state = bytes >= bytesMax ? 'full' : bytes * 2 >= bytesMax ? 'filling' : 'roomy';
    if (state === this.#state) return;
    this.#state = state;
    const data = { bytes, bytesMax, segments, why };
    const kind = KINDS[state];
    this.#deps.log[state === 'roomy' ? 'info' : 'error'](kind, data);
    recordEvent({ actor: 'millwright', kind, subject: `journal/${writer}`, data }, this.#deps);
  }
}
