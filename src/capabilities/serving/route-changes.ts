import { present } from '../../base/assert.ts';
import { toAppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Log } from '../../platform/log/log.ts';
import type { RegistryService } from '../registry/service.ts';
import {
  BUCKETS,
  type Arm,
  type DeploymentCheck,
  type Drill,
  type RouteRevision,
} from './contract.ts';
import type { DeploymentChecks } from './deployment-checks.ts';
import { liveRoute, type LiveRoutes } from './live-routes.ts';
import { replayedVersions } from './replayed-versions.ts';
import { GENESIS, revisionHash } from './revision-hash.ts';
import {
  assertArms,
  assertCurrent,
  assertModel,
  newestOf,
  nothingToRollBack,
  restoring,
  type Change,
  type ChangeRequest,
  type DeployRequest,
} from './route-change.ts';
import type { FeatureSource, ServedFeatures } from './served-features.ts';
import type { PublishedRevision, ServingStore, StoredEndpoint } from './store.ts';
import type { WarmModel, WarmModels } from './warm-models.ts';

export interface RouteChangesDeps {
  readonly store: ServingStore;
  readonly routes: LiveRoutes;
  readonly models: WarmModels;
  readonly registry: Pick<RegistryService, 'getVersion'>;
  readonly features: FeatureSource;
  readonly checks: DeploymentChecks;
  readonly events: Events;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
  readonly log: Log;
}

/** A revision's versions in memory, and what is joined for them. */
interface Held {
  readonly warm: readonly WarmModel[];
  readonly features: ServedFeatures | null;
}

/** A change whose versions are warm and were checked. */
interface Ready {
  readonly change: Change;
  readonly held: Held;
  readonly evidence: readonly DeploymentCheck[];
}

/** A revision with the event that tells of it. */
interface Signed extends PublishedRevision {
  readonly event: Step;
}

/** Publishes routing tables: checked and warm before they take traffic, one after the other. */
export class RouteChanges {
  readonly #deps: RouteChangesDeps;
  /** Changes run one after the other: each ends by releasing the models that nothing routes to. */
  #turn: Promise<unknown> = Promise.resolve();
  /** By endpoint, the definitions that its current and its former revision answer by. */
  readonly #definitions = new Map<string, readonly string[]>();

  constructor(deps: RouteChangesDeps) {
    this.#deps = deps;
  }

  /** Brings every endpoint's current and former versions into memory. */
  async start(): Promise<void> {
    const { store, log } = this.#deps;
    const endpoints = await store.listEndpoints({ after: null, limit: Number.MAX_SAFE_INTEGER });
    for (const endpoint of endpoints) {
      if (endpoint.currentRevision === 0) continue;
      try {
        const revision = await store.requireRevision(endpoint.name, endpoint.currentRevision);
        await this.#pin(revision);
        await this.#switch(endpoint, revision, await this.#hold(revision));
      } catch (thrown) {
        // One broken model must not keep the others from being served.
        const { message } = toAppError(thrown);
        this.#deps.routes.fail(endpoint.name, message);
        log.error('serving.endpoint.not-started', { endpoint: endpoint.name, error: message });
      }
    }
    await this.#release();
  }

  /** Changes what of an endpoint is not its route; the gateway follows. */
  async changeSpec(write: () => Promise<StoredEndpoint>): Promise<StoredEndpoint> {
    return this.#inTurn(async () => {
      const endpoint = await write();
      const live = this.#deps.routes.get(endpoint.name);
      if (live !== undefined) this.#deps.routes.replace({ ...live, spec: endpoint });
      return endpoint;
    });
  }

  /** Blue/green: the version gets all traffic under the other colour; the former one stays warm. */
  async deploy(request: DeployRequest): Promise<RouteRevision> {
    return this.#change(request, async (endpoint, current) => {
      assertModel(endpoint, request.model);
      const version = await this.#deps.registry.getVersion(endpoint.model, request.version, {
        refuseDeleted: true,
      });
      const colour = current?.arms.at(-1)?.name === 'blue' ? 'green' : 'blue';
      const { model, digest } = version;
      return {
        arms: [{ name: colour, model, version: version.version, digest, weight: BUCKETS }],
        features: newestOf(endpoint),
        replayed: new Set(),
        // A new salt, so that the same callers are not always the first on a new version.
        salt: this.#deps.ids.next('rt'),
        restores: null,
        kind: 'deployed',
      };
    });
  }

  /**
   * Shares the traffic between versions, by weights that add up to 10,000. The features stay those
   * of the current revision.
   */
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
        const refuseDeleted = current?.arms.every((arm) => arm.version !== version) ?? true;
        const options = { refuseDeleted };
        const found = await this.#deps.registry.getVersion(endpoint.model, version, options);
        const { model, digest } = found;
        arms.push({ name, model, version, digest, weight });
      }
      assertArms(arms);
      // The salt stays: with the same order of arms, a raised weight moves nobody back.
      const salt = current?.salt ?? this.#deps.ids.next('rt');
      const features = current === null ? newestOf(endpoint) : current.features;
      const replayed = await replayedVersions(this.#deps.store, current);
      return { arms, features, replayed, salt, restores: null, kind: 'split' };
    });
  }

  /**
   * Publishes a former revision's arms, features and salt again, by default those before the
   * current one: a definition that changed since does not keep anybody from going back.
   */
  async rollback(
    request: ChangeRequest & { readonly to: number | undefined },
  ): Promise<RouteRevision> {
    return this.#change(request, async (endpoint, current) => {
      const to = request.to ?? (await this.#formerOf(endpoint, current));
      return restoring(await this.#deps.store.requireRevision(endpoint.name, to), 'rolled_back');
    });
  }

  /**
   * Publishes the former revision's arms and then those of the current one again, in one
   * transaction: whatever happens in between, a restart serves what was served before.
   */
  async drill(request: ChangeRequest): Promise<Drill> {
    const asked = this.#deps.clock.elapsed();
    return this.#inTurn(async () => {
      const { store } = this.#deps;
      const { endpoint, current } = await this.#stands(request);
      const to = await this.#formerOf(endpoint, current);
      const former = await store.requireRevision(endpoint.name, to);
      // Both before either takes a request: nothing may keep the traffic from coming back.
      const out = await this.#ready(restoring(former, 'drilled'));
      const home = await this.#ready(restoring(present(current, 'a current revision'), 'drilled'));
      const there = this.#sign(current, out, { ...request, asked });
      const back = this.#sign(there.revision, home, { ...request, asked });
      await this.#publish([there, back]);
      this.#replace(endpoint, there.revision, [out.held, home.held]);
      // What has arrived meanwhile is answered by the former version.
      await new Promise(setImmediate);
      await this.#settle(endpoint, back.revision, home.held);
      return { there: there.revision, back: back.revision };
    });
  }

  async #change(
    request: ChangeRequest,
    decide: (endpoint: StoredEndpoint, current: RouteRevision | null) => Promise<Change>,
  ): Promise<RouteRevision> {
    const asked = this.#deps.clock.elapsed();
    return this.#inTurn(async () => {
      const { endpoint, current } = await this.#stands(request);
      const ready = await this.#ready(await decide(endpoint, current));
      const signed = this.#sign(current, ready, { ...request, asked });
      await this.#publish([signed]);
      await this.#settle(endpoint, signed.revision, ready.held);
      return signed.revision;
    });
  }

  /** What the change is to be made of; `STALE_REVISION` when that is not what was looked at. */
  async #stands({ endpoint: name, ifRevision }: ChangeRequest) {
    const { store } = this.#deps;
    const endpoint = await store.requireEndpoint(name);
    assertCurrent(endpoint, ifRevision);
    const number = endpoint.currentRevision;
    const current = number === 0 ? null : await store.requireRevision(name, number);
    return { endpoint, current };
  }

  /** The revision that a rollback returns to; `NOTHING_TO_ROLL_BACK` without one. */
  async #formerOf({ name }: StoredEndpoint, current: RouteRevision | null): Promise<number> {
    const to = current === null ? 0 : await this.#before(current);
    if (to < 1) throw nothingToRollBack(name);
    return to;
  }

  async #ready(change: Change): Promise<Ready> {
    const { checks, features } = this.#deps;
    const joined = change.features;
    const held = {
      warm: await this.#warm(change.arms),
      features: joined === null ? null : await features.resolve(joined.service, joined.definition),
    };
    const evidence =
      held.features === null ? [] : await checks.run(held.warm, held.features, change.replayed);
    return { change, held, evidence };
  }

  #sign(
    former: RouteRevision | null,
    { change, held, evidence }: Ready,
    // `asked`: when it was asked for, monotonic milliseconds.
    { endpoint, actor, reason, asked }: ChangeRequest & { readonly asked: number },
  ): Signed {
    const { clock, ids, events } = this.#deps;
    const [now, wall] = [clock.now(), clock.wall()];
    const { salt, restores, kind } = change;
    const { features } = held;
    const unsigned: Omit<RouteRevision, 'hash'> = {
      id: ids.next('rt'),
      endpoint,
      revision: (former?.revision ?? 0) + 1,
      arms: [...change.arms],
      salt,
      actor,
      reason,
      restores,
      isDrill: kind === 'drilled',
      features:
        features === null ? null : { service: features.service, definition: features.definition },
      evidence: [...evidence],
      now: formatInstant(now),
      wall: formatInstant(wall),
    };
    const revision = { ...unsigned, hash: revisionHash(unsigned, former?.hash ?? GENESIS.hash) };
    const arms = change.arms.map(({ name, version, weight }) => ({ name, version, weight }));
    const tookMs = Math.round(clock.elapsed() - asked);
    const event = events.step({
      actor,
      kind: `route.${kind}`,
      subject: `endpoint/${endpoint}`,
      data: { revision: revision.revision, arms, reason, restores, tookMs },
    });
    return { revision, now, wall, event };
  }

  async #publish(signed: readonly Signed[]): Promise<void> {
    const { store, faults } = this.#deps;
    faults.hit('route.before-commit');
    await store.publish(
      signed,
      signed.map(({ event }) => event),
    );
    faults.hit('route.after-commit');
  }

  /** The gateway follows the revision, and what nobody needs any more is let go of. */
  async #settle(endpoint: StoredEndpoint, revision: RouteRevision, held: Held): Promise<void> {
    await this.#switch(endpoint, revision, held);
    await this.#pin(revision);
    await this.#release();
  }

  /** Loads what the arms need before anything is published: a broken model never takes traffic. */
  async #warm(arms: readonly Arm[]): Promise<readonly WarmModel[]> {
    return Promise.all(arms.map(({ model, version }) => this.#deps.models.warm(model, version)));
  }

  /** A published revision's versions, with the definition that it was checked against. */
  async #hold({ arms, features }: RouteRevision): Promise<Held> {
    const resolved =
      features === null
        ? null
        : await this.#deps.features.resolve(features.service, features.definition);
    return { warm: await this.#warm(arms), features: resolved };
  }

  async #switch(endpoint: StoredEndpoint, revision: RouteRevision, held: Held): Promise<void> {
    this.#replace(endpoint, revision, [held]);
    try {
      const to = await this.#before(revision);
      if (to >= 1) {
        const former = await this.#deps.store.requireRevision(endpoint.name, to);
        this.#replace(endpoint, revision, [held, await this.#hold(former)]);
      }
    } catch (thrown) {
      this.#deps.log.warn('serving.former.not-warm', {
        endpoint: endpoint.name,
        error: String(thrown),
      });
    }
  }

  #replace(endpoint: StoredEndpoint, revision: RouteRevision, all: readonly Held[]): void {
    const warm = [...new Set(all.flatMap((one) => one.warm))];
    const features = joinedFor(all);
    this.#deps.routes.replace(liveRoute({ spec: endpoint, revision, warm, features }));
  }

  /** Lets go of models that nothing routes to, and of definitions that nothing answers by. */
  async #release(): Promise<void> {
    const { routes, models, features } = this.#deps;
    features.keepOnly(new Set([...this.#definitions.values()].flat()));
    const used = routes.all().flatMap((route) => route.warm);
    await models.keepOnly(
      new Set(used.map(({ version }) => `${version.model}@${version.version}`)),
    );
  }

  /**
   * Has the definitions kept that this revision, and the one before it, answer by: also where their
   * models cannot be loaded, because they may be again.
   */
  async #pin(revision: RouteRevision): Promise<void> {
    const { store, features, log } = this.#deps;
    const { endpoint } = revision;
    const pin = async (joined: RouteRevision['features']): Promise<void> => {
      if (joined === null) return;
      const { service, definition } = joined;
      this.#definitions.set(endpoint, [...this.#definitions.get(endpoint)!, definition]);
      await features.resolve(service, definition);
    };
    this.#definitions.set(endpoint, []);
    try {
      await pin(revision.features);
      const to = await this.#before(revision);
      if (to >= 1) await pin((await store.requireRevision(endpoint, to)).features);
    } catch (thrown) {
      log.warn('serving.definition.not-kept', { endpoint, error: String(thrown) });
    }
  }

  /**
   * The revision before what is served: a revision that restores another counts as that other, so
   * that rolling back twice goes back twice. Zero when there is none.
   */
  async #before(revision: RouteRevision): Promise<number> {
    let served = revision;
    while (served.restores !== null) {
      served = await this.#deps.store.requireRevision(served.endpoint, served.restores);
    }
    return served.revision - 1;
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.catch(() => undefined).then(action);
    this.#turn = mine;
    return mine;
  }
}

/** What is joined for each version; where two revisions hold one, the first of them counts. */
function joinedFor(all: readonly Held[]): ReadonlyMap<WarmModel, ServedFeatures> {
  const joined = new Map<WarmModel, ServedFeatures | null>();
  for (const { warm, features } of all) {
    for (const model of warm) if (!joined.has(model)) joined.set(model, features);
  }
  return new Map([...joined].flatMap(([model, it]) => (it === null ? [] : [[model, it] as const])));
}
