import { AppError } from '../../base/errors.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { PredictionsService } from '../predictions/service.ts';
import type { RegistryService } from '../registry/service.ts';
import type { Drill, Endpoint, EndpointSpec, RouteRevision, Trace, WhoServed } from './contract.ts';
import type { LiveRoutes } from './live-routes.ts';
import type { PastQuery, PastRoutes } from './past-routes.ts';
import type { RequestExplanations } from './request-explanations.ts';
import { followChain, GENESIS, type ChainLink } from './revision-hash.ts';
import type { ChangeRequest, DeployRequest } from './route-change.ts';
import type { RouteChanges } from './route-changes.ts';
import type { ServiceInUse, ServingStore, StoredEndpoint } from './store.ts';

export interface ServingDeps {
  readonly store: ServingStore;
  readonly routes: LiveRoutes;
  readonly changes: RouteChanges;
  readonly registry: Pick<RegistryService, 'getVersion'>;
  readonly predictions: PredictionsService;
  readonly explanations: RequestExplanations;
  readonly past: PastRoutes;
  readonly events: Events;
  readonly clock: Clock;
}

/** Revisions verified at a time: their hashes hold the event loop for about a millisecond. */
const CHAIN_PAGE = 200;

/** Endpoints and their routes: every change is a new revision, warm before it takes traffic. */
export class ServingService {
  readonly #deps: ServingDeps;

  constructor(deps: ServingDeps) {
    this.#deps = deps;
  }

  /** Brings every endpoint's current and former versions into memory. */
  async start(): Promise<void> {
    await this.#deps.changes.start();
  }

  async put(name: string, spec: EndpointSpec, actor: string): Promise<Endpoint> {
    const endpoint = await this.#deps.changes.changeSpec(() => this.#put(name, spec, actor));
    return this.#view(endpoint);
  }

  async #put(name: string, spec: EndpointSpec, actor: string): Promise<StoredEndpoint> {
    const { store, events, clock } = this.#deps;
    const former = await store.findEndpoint(name);
    const isDeployed = former !== null && former.currentRevision > 0;
    if (isDeployed && former.model !== spec.model) {
      throw new AppError('ENDPOINT_EXISTS', `Endpoint ${name} serves model ${former.model}.`, {
        hint: 'An endpoint keeps its model, so that its log stays comparable; create another one.',
      });
    }
    const kind = former === null ? 'endpoint.created' : 'endpoint.changed';
    const event = events.step({ actor, kind, subject: `endpoint/${name}`, data: { ...spec } });
    await store.putEndpoint({ name, spec, at: clock.wall() }, [event]);
    return store.requireEndpoint(name);
  }

  /** As it is declared; null when there is none. */
  stored(name: string): Promise<StoredEndpoint | null> {
    return this.#deps.store.findEndpoint(name);
  }

  servicesInUse(): Promise<readonly ServiceInUse[]> {
    return this.#deps.store.servicesInUse();
  }

  async get(name: string): Promise<Endpoint> {
    return this.#view(await this.#deps.store.requireEndpoint(name));
  }

  async list(query: PageQuery): Promise<Page<Endpoint>> {
    const after = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.store.listEndpoints({ after, limit: query.limit + 1 });
    const page = nextPage(found, query.limit, (last) => last.name);
    return {
      items: await Promise.all(page.items.map((endpoint) => this.#view(endpoint))),
      nextCursor: page.nextCursor,
    };
  }

  deploy(request: DeployRequest): Promise<RouteRevision> {
    return this.#deps.changes.deploy(request);
  }

  split(request: Parameters<RouteChanges['split']>[0]): Promise<RouteRevision> {
    return this.#deps.changes.split(request);
  }

  rollback(request: ChangeRequest & { readonly to: number | undefined }): Promise<RouteRevision> {
    return this.#deps.changes.rollback(request);
  }

  drill(request: ChangeRequest): Promise<Drill> {
    return this.#deps.changes.drill(request);
  }

  async listRevisions(
    name: string,
    query: PageQuery,
  ): Promise<Page<RouteRevision> & { readonly chainIntact: boolean }> {
    const { store } = this.#deps;
    const { currentRevision } = await this.#deps.store.requireEndpoint(name);
    const before = decodeCursor(query.cursor, 'number');
    const found = await store.listRevisions(name, { before, limit: query.limit + 1 });
    return {
      ...nextPage(found, query.limit, (last) => last.revision),
      chainIntact: await this.#isChainIntact(name, currentRevision),
    };
  }

  /** Whether every revision up to the current one is there and says what it said. */
  async #isChainIntact(endpoint: string, current: number): Promise<boolean> {
    let link: ChainLink | null = GENESIS;
    while (link !== null && link.revision < current) {
      const page = { after: link.revision, limit: CHAIN_PAGE };
      const next = await this.#deps.store.revisionsAfter(endpoint, page);
      link = next.length === 0 ? null : followChain(link, next);
    }
    return link !== null;
  }

  whoServed(endpoint: string, query: PastQuery): Promise<WhoServed> {
    return this.#deps.past.whoServed(endpoint, query);
  }

  async trace(requestId: string): Promise<Trace> {
    const { predictions, registry, store, explanations } = this.#deps;
    const prediction = await predictions.find(requestId);
    // A refused record may name anything.
    const orUnknown = (thrown: unknown): null => {
      if (prediction.source === 'quarantine') return null;
      throw thrown;
    };
    const [route, model, { labels, missing }, features, origin] = await Promise.all([
      store.findRevision(prediction.endpoint, prediction.routeRevision),
      registry.getVersion(prediction.model, prediction.modelVersion).catch(orUnknown),
      predictions.labelsOf(prediction),
      explanations.features(prediction),
      explanations.origin(prediction).catch(orUnknown),
    ]);
    const labelled = { labels: [...labels], labelsMissing: missing };
    return { prediction, route, model, ...labelled, features, origin };
  }

  async #view(endpoint: StoredEndpoint): Promise<Endpoint> {
    const { createdAt, currentRevision, ...spec } = endpoint;
    const { name } = endpoint;
    const live = this.#deps.routes.get(name);
    const route =
      currentRevision === 0 ? null : await this.#deps.store.requireRevision(name, currentRevision);
    const served = live?.table.ranges.at(-1)?.arm.warm;
    return {
      ...spec,
      createdAt: formatInstant(createdAt),
      route,
      signature: served?.version.signature ?? null,
      warm: (live?.warm ?? []).map(({ version, loaded }) => ({
        version: version.version,
        placement: loaded.placement,
        runP99Us: Math.round(loaded.runP99Us),
        loadMs: Math.round(loaded.loadMs * 10) / 10,
      })),
    };
  }
}
