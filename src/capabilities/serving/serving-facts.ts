import { present } from '../../base/assert.ts';
import { parseInstant, type Micros } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';
import type { RouteRevision } from './contract.ts';
import type { ServingStore } from './store.ts';

/** Revisions that are told of; a route changes a few times a month. */
const REVISIONS = 200;
/** Events of an endpoint that are looked through for how long its changes took. */
const EVENTS = 500;

/** Endpoints and the revisions of their routes. */
export class ServingFacts implements Facts {
  readonly #store: ServingStore;
  readonly #events: Pick<Events, 'list'>;

  constructor(deps: { readonly store: ServingStore; readonly events: Pick<Events, 'list'> }) {
    this.#store = deps.store;
    this.#events = deps.events;
  }

  async factsOf({ endpoint, now }: FactQuestion): Promise<readonly Fact[]> {
    const found = await this.#store.findEndpoint(endpoint);
    if (found === null) return [];
    const { service, key, createdAt } = found;
    const revisions = await this.#store.listRevisions(endpoint, { before: null, limit: REVISIONS });
    const took = await this.#took(endpoint);
    const declared = { kind: 'endpoint', subject: endpoint, at: now, wall: createdAt };
    return [
      { ...declared, data: { service, key } },
      ...revisions.map((revision) => toFact(revision, took.get(revision.revision) ?? null)),
    ];
  }

  /** Milliseconds by revision. */
  async #took(endpoint: string): Promise<ReadonlyMap<number, number>> {
    const subject = `endpoint/${endpoint}`;
    const events = await this.#events.list({ subject, limit: EVENTS });
    return new Map(
      events.flatMap(({ kind, data }) =>
        kind.startsWith('route.') && typeof data['tookMs'] === 'number'
          ? [[Number(data['revision']), data['tookMs']] as const]
          : [],
      ),
    );
  }
}

function toFact(revision: RouteRevision, tookMs: number | null): Fact {
  const { endpoint, actor, restores, isDrill, features, arms } = revision;
  return {
    kind: 'revision',
    subject: `${endpoint}@${revision.revision}`,
    at: instant(revision.now),
    wall: instant(revision.wall),
    data: {
      revision: revision.revision,
      arms: arms.map(({ model, version, digest, weight }) => ({ model, version, digest, weight })),
      actor,
      restores,
      isDrill,
      definition: features?.definition ?? null,
      tookMs,
    },
  };
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant that was written here');
}
