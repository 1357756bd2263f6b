import type { Fact, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';

/** Plans are looked at far more often than applied. */
const EVENTS = 500;

/** Plans that were put in force, and those that somebody looked at. */
export class WorkspaceFacts implements Facts {
  readonly #events: Pick<Events, 'list'>;

  constructor(events: Pick<Events, 'list'>) {
    this.#events = events;
  }

  async factsOf(): Promise<readonly Fact[]> {
    const told = await this.#events.list({ subject: 'workspace', limit: EVENTS });
    return told.flatMap((event): readonly Fact[] => {
      const { kind, now, wall, data } = event;
      const plan = String(data['plan']);
      const of = { subject: plan, at: now, wall };
      if (kind === 'workspace.planned') {
        const differences = Number(data['differences']);
        return [{ ...of, kind: 'plan_checked', data: { differences } }];
      }
      if (kind !== 'workspace.applied') return [];
      const changes = Array.isArray(data['changes']) ? data['changes'].length : 0;
      return [{ ...of, kind: 'applied', data: { plan, changes } }];
    });
  }
}
