import type { Fact, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';

const EVENTS = 100;

/** Plans that were put in force. */
export class WorkspaceFacts implements Facts {
  readonly #events: Pick<Events, 'list'>;

  constructor(events: Pick<Events, 'list'>) {
    this.#events = events;
  }

  async factsOf(): Promise<readonly Fact[]> {
    const told = await this.#events.list({ subject: 'workspace', limit: EVENTS });
    return told
      .filter(({ kind }) => kind === 'workspace.applied')
      .map(({ now, wall, data }) => {
        const plan = String(data['plan']);
        const changes = Array.isArray(data['changes']) ? data['changes'].length : 0;
        return { kind: 'applied', subject: plan, at: now, wall, data: { plan, changes } };
      });
  }
}
