import { AppError, toAppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Log } from '../../platform/log/log.ts';
import type { PredictionsService } from '../predictions/service.ts';
import type { RegistryService } from '../registry/service.ts';
import {
  BUCKETS,
  type Arm,
  type Endpoint,
  type EndpointSpec,
  type RouteRevision,
  type Trace,
} from './contract.ts';
import { liveRoute, type LiveRoutes } from './live-routes.ts';
import { followChain, GENESIS, revisionHash, type ChainLink } from './revision-hash.ts';
import type { ServingStore, StoredEndpoint } from './store.ts';
import type { WarmModel, WarmModels } from './warm-models.ts';

export interface ServingDeps {
  readonly store: ServingStore;
  readonly routes: LiveRoutes;
  readonly models: WarmModels;
  readonly registry: RegistryService;
  readonly predictions: PredictionsService;
  readonly events: Events;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
  readonly log: Log;
}

/** Revisions verified at a time: their hashes hold the event loop for about a millisecond. */
const CHAIN_PAGE = 200;

/** What a change of route says besides its arms. */
interface Change {
  readonly arms: readonly Arm[];
  readonly salt: string;
  readonly actor: string;
  readonly reason: string;
  readonly restores: number | null;
  readonly kind: 'deployed' | 'split' | 'rolled_back';
}

interface ChangeRequest {
  readonly endpoint: string;
  readonly actor: string;
  readonly reason: string;
  readonly ifRevision: number | undefined;
}

/** Endpoints and their routes: every change is a new revision, warm before it takes traffic. */
export class ServingService {
  readonly #deps: ServingDeps;
  /** Changes run one after the other: each ends by releasing the models that nothing routes to. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: ServingDeps) {
    this.#deps = deps;
  }

  /** Brings every endpoint's current and former versions into memory. */
  async start(): Promise<void> {
    const { store, log } = this.#deps;
    const endpoints = await store.listEndpoints({ after: null, limit: Number.MAX_SAFE_INTEGER });
    for (const endpoint of endpoints) {
      if (endpoint.currentRevision === 0) continue;
      try {
        const revision = await this.#revision(endpoint, endpoint.currentRevision);
        await this.#switch(endpoint, revision, await this.#warm(revision.arms));
      } catch (thrown) {
        // One broken model must not keep the others from being served.
        const { message } = toAppError(thrown);
        this.#deps.routes.fail(endpoint.name, message);
        log.error('serving.endpoint.not-started', { endpoint: endpoint.name, error: message });
      }
    }
  }

  async put(name: string, spec: EndpointSpec, actor: string): Promise<Endpoint> {
    const { store, events, clock, registry } = this.#deps;
    const former = await store.findEndpoint(name);
    if (former !== null && former.model !== spec.model) {
      throw new AppError('ENDPOINT_EXISTS', `Endpoint ${name} serves model ${former.model}.`, {
        hint: 'An endpoint keeps its model, so that its log stays comparable; create another one.',
      });
    }
    await registry.requireModel(spec.model);
    const kind = former === null ? 'endpoint.created' : 'endpoint.changed';
    const event = events.step({ actor, kind, subject: `endpoint/${name}`, data: { ...spec } });
    await store.putEndpoint({ name, spec, at: clock.wall() }, [event]);
    const endpoint = await this.#endpoint(name);
    await this.#inTurn(async () => {
      const live = this.#deps.routes.get(name);
      if (live !== undefined) this.#deps.routes.replace({ ...live, spec: endpoint });
    });
    return this.#view(endpoint);
  }

  async get(name: string): Promise<Endpoint> {
    return this.#view(await this.#endpoint(name));
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

  /** Blue/green: the version gets all traffic under the other colour; the former one stays warm. */
  async deploy(request: ChangeRequest & { readonly version: number }): Promise<RouteRevision> {
    return this.#change(request, async (endpoint, current) => {
      const version = await this.#deps.registry.getVersion(endpoint.model, request.version);
      const colour = current?.arms.at(-1)?.name === 'blue' ? 'green' : 'blue';
      const { model, digest } = version;
      return {
        arms: [{ name: colour, model, version: version.version, digest, weight: BUCKETS }],
        // A new salt, so that the same callers are not always the first on a new version.
        salt: this.#deps.ids.next('rt'),
        restores: null,
        kind: 'deployed',
      };
    });
  }

  /** Shares the traffic between versions, by weights that add up to 10,000. */
  async split(
    request: ChangeRequest & {
      readonly arms: readonly {
        readonly name: string;
        readonly version: number;
        readonly weight: number;
      }[];
    },
  ): Promise<RouteRevision> {
    return this.#change(request, async (endpoint, current) => {
      const arms: Arm[] = [];
      for (const { name, version, weight } of request.arms) {
        const { model, digest } = await this.#deps.registry.getVersion(endpoint.model, version);
        arms.push({ name, model, version, digest, weight });
      }
      assertArms(arms);
      // The salt stays: with the same order of arms, a raised weight moves nobody back.
      const salt = current?.salt ?? this.#deps.ids.next('rt');
      return { arms, salt, restores: null, kind: 'split' };
    });
  }

  /** Publishes a former revision's arms and salt again, by default those before the current one. */
  async rollback(
    request: ChangeRequest & { readonly to: number | undefined },
  ): Promise<RouteRevision> {
    return this.#change(request, async (endpoint, current) => {
      const to = request.to ?? (current === null ? 0 : await this.#before(endpoint, current));
      if (to < 1) {
        throw new AppError(
          'NOTHING_TO_ROLL_BACK',
          `Endpoint ${endpoint.name} has no former revision.`,
          { hint: `See its revisions with: millwright endpoints revisions ${endpoint.name}` },
        );
      }
      const { arms, salt } = await this.#revision(endpoint, to);
      return { arms, salt, restores: to, kind: 'rolled_back' };
    });
  }

  async listRevisions(
    name: string,
    query: PageQuery,
  ): Promise<Page<RouteRevision> & { readonly chainIntact: boolean }> {
    const { store } = this.#deps;
    const { currentRevision } = await this.#endpoint(name);
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

  async trace(requestId: string): Promise<Trace> {
    const { predictions, registry, store } = this.#deps;
    const prediction = await predictions.find(requestId);
    const [route, model, { labels, missing }] = await Promise.all([
      store.findRevision(prediction.endpoint, prediction.routeRevision),
      registry.getVersion(prediction.model, prediction.modelVersion),
      predictions.labelsOf(prediction),
    ]);
    return { prediction, route, model, labels: [...labels], labelsMissing: missing };
  }

  async #change(
    request: ChangeRequest,
    decide: (
      endpoint: StoredEndpoint,
      current: RouteRevision | null,
    ) => Promise<Omit<Change, 'actor' | 'reason'>>,
  ): Promise<RouteRevision> {
    return this.#inTurn(async () => {
      const endpoint = await this.#endpoint(request.endpoint);
      assertCurrent(endpoint, request.ifRevision);
      const number = endpoint.currentRevision;
      const current = number === 0 ? null : await this.#revision(endpoint, number);
      const change = await decide(endpoint, current);
      const { actor, reason } = request;
      const warm = await this.#warm(change.arms);
      const revision = await this.#publish(endpoint, current, { ...change, actor, reason });
      await this.#switch(endpoint, revision, warm);
      return revision;
    });
  }

  async #publish(
    endpoint: StoredEndpoint,
    current: RouteRevision | null,
    change: Change,
  ): Promise<RouteRevision> {
    const { store, clock, ids, events, faults } = this.#deps;
    const [now, wall] = [clock.now(), clock.wall()];
    const unsigned: Omit<RouteRevision, 'hash'> = {
      id: ids.next('rt'),
      endpoint: endpoint.name,
      revision: endpoint.currentRevision + 1,
      arms: [...change.arms],
      salt: change.salt,
      actor: change.actor,
      reason: change.reason,
      restores: change.restores,
      now: formatInstant(now),
      wall: formatInstant(wall),
    };
    const revision = { ...unsigned, hash: revisionHash(unsigned, current?.hash ?? GENESIS.hash) };
    const event = events.step({
      actor: change.actor,
      kind: `route.${change.kind}`,
      subject: `endpoint/${endpoint.name}`,
      data: {
        revision: revision.revision,
        arms: change.arms.map(({ name, version, weight }) => ({ name, version, weight })),
        reason: change.reason,
        restores: change.restores,
      },
    });
    faults.hit('route.before-commit');
    await store.publish({ revision, now, wall }, [event]);
    faults.hit('route.after-commit');
    return revision;
  }

  /** Loads what the arms need before anything is published: a broken model never takes traffic. */
  async #warm(arms: readonly Arm[]): Promise<readonly WarmModel[]> {
    return Promise.all(arms.map(({ model, version }) => this.#deps.models.warm(model, version)));
  }

  async #switch(
    endpoint: StoredEndpoint,
    revision: RouteRevision,
    warm: readonly WarmModel[],
  ): Promise<void> {
    const { routes, models, log } = this.#deps;
    routes.replace(liveRoute({ spec: endpoint, revision, warm }));
    try {
      const former = await this.#formerArms(endpoint, revision);
      const all = [...new Set([...warm, ...(await this.#warm(former))])];
      routes.replace(liveRoute({ spec: endpoint, revision, warm: all }));
    } catch (thrown) {
      log.warn('serving.former.not-warm', { endpoint: endpoint.name, error: String(thrown) });
    }
    const used = routes.all().flatMap((route) => route.warm);
    await models.keepOnly(
      new Set(used.map(({ version }) => `${version.model}@${version.version}`)),
    );
  }

  /** Arms of the revision that a rollback would restore. */
  async #formerArms(endpoint: StoredEndpoint, revision: RouteRevision): Promise<readonly Arm[]> {
    const to = await this.#before(endpoint, revision);
    return to < 1 ? [] : (await this.#revision(endpoint, to)).arms;
  }

  /**
   * The revision before what is served: a revision that restores another counts as that other, so
   * that rolling back twice goes back twice. Zero when there is none.
   */
  async #before(endpoint: StoredEndpoint, revision: RouteRevision): Promise<number> {
    let served = revision;
    while (served.restores !== null) served = await this.#revision(endpoint, served.restores);
    return served.revision - 1;
  }

  async #revision(endpoint: { readonly name: string }, revision: number): Promise<RouteRevision> {
    const found = await this.#deps.store.findRevision(endpoint.name, revision);
    if (found !== null) return found;
    throw new AppError(
      'REVISION_NOT_FOUND',
      `Endpoint ${endpoint.name} has no revision ${revision}.`,
      {
        hint: `See them with: millwright endpoints revisions ${endpoint.name}`,
      },
    );
  }

  async #endpoint(name: string): Promise<StoredEndpoint> {
    const found = await this.#deps.store.findEndpoint(name);
    if (found !== null) return found;
    throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${name}.`, {
      hint: `Create it with: millwright endpoints create ${name} --model MODEL`,
    });
  }

  async #view(endpoint: StoredEndpoint): Promise<Endpoint> {
    const { name, model, key, sticky, durability, currentRevision } = endpoint;
    const live = this.#deps.routes.get(name);
    const route = currentRevision === 0 ? null : await this.#revision(endpoint, currentRevision);
    const served = live?.table.ranges.at(-1)?.arm.warm;
    return {
      name,
      model,
      key,
      sticky,
      durability,
      createdAt: formatInstant(endpoint.createdAt),
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

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.catch(() => undefined).then(action);
    this.#turn = mine;
    return mine;
  }
}

function assertCurrent(endpoint: StoredEndpoint, expected: number | undefined): void {
  if (expected === undefined || expected === endpoint.currentRevision) return;
  throw new AppError(
    'STALE_REVISION',
    `The route of ${endpoint.name} is at revision ${endpoint.currentRevision}, not ${expected}.`,
    { hint: 'Look at its newest revision and decide again.' },
  );
}

function assertArms(arms: readonly Arm[]): void {
  const total = arms.reduce((sum, arm) => sum + arm.weight, 0);
  const names = new Set(arms.map((arm) => arm.name));
  if (total === BUCKETS && names.size === arms.length) return;
  throw new AppError(
    'INVALID_INPUT',
    names.size === arms.length
      ? `The weights add up to ${total / 100} %.`
      : 'Two arms have the same name.',
    { hint: `Every arm needs its own name, and the weights must add up to ${BUCKETS} (100 %).` },
  );
}
