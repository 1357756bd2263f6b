import { AppError } from '../../base/errors.ts';
import type { EndpointSpec, RouteRevision } from './contract.ts';
import { layOut, type RoutingTable } from './routing.ts';
import type { ServedFeatures } from './served-features.ts';
import type { WarmModel } from './warm-models.ts';

/** An arm with its model in memory. */
export interface LiveArm {
  readonly name: string;
  readonly weight: number;
  readonly warm: WarmModel;
}

/** All that answering a request needs: replaced whole, never changed. */
export interface LiveRoute {
  readonly endpoint: string;
  readonly spec: EndpointSpec;
  readonly revision: RouteRevision;
  readonly table: RoutingTable<LiveArm>;
  /** Versions held warm: the arms' and those a rollback would return to. */
  readonly warm: readonly WarmModel[];
  /** What is joined to requests for a version; one without is given its own tensors. */
  readonly features: ReadonlyMap<WarmModel, ServedFeatures>;
}

/** A route under one of its names on the wire. */
export interface NamedRoute {
  readonly name: string;
  readonly route: LiveRoute;
  /** Under the name for raw vectors nothing is joined. */
  readonly isRaw: boolean;
}

export function featuresOf({ route, isRaw }: NamedRoute, warm: WarmModel): ServedFeatures | null {
  return isRaw ? null : (route.features.get(warm) ?? null);
}

/** What comes behind the name of an endpoint with features where raw vectors are taken. */
const RAW = '.raw';

/**
 * The routes the gateway follows. A switch is one assignment: requests that already chose an arm
 * finish on it.
 */
export class LiveRoutes {
  readonly #byEndpoint = new Map<string, LiveRoute>();
  /** Deployed endpoints without a live route: what kept their model from being loaded. */
  readonly #failed = new Map<string, string>();

  /** The route; `ENDPOINT_NOT_READY` when it could not be brought up, else `ENDPOINT_NOT_FOUND`. */
  require(endpoint: string): LiveRoute {
    const route = this.#byEndpoint.get(endpoint);
    if (route !== undefined) return route;
    const why = this.#failed.get(endpoint);
    throw why === undefined ? unknownEndpoint(endpoint) : notReady(endpoint, why);
  }

  /** As `require`, by a model's name on the wire: an endpoint's, or `NAME.raw`. */
  requireName(name: string): NamedRoute {
    if (!name.endsWith(RAW)) return { name, route: this.require(name), isRaw: false };
    const route = this.require(name.slice(0, -RAW.length));
    if (route.features.size === 0) throw unknownEndpoint(name);
    return { name, route, isRaw: true };
  }

  get(endpoint: string): LiveRoute | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  all(): readonly LiveRoute[] {
    return [...this.#byEndpoint.values()];
  }

  replace(route: LiveRoute): void {
    this.#byEndpoint.set(route.endpoint, route);
    this.#failed.delete(route.endpoint);
  }

  /** Deployed endpoints that cannot answer, and why. */
  failed(): ReadonlyMap<string, string> {
    return this.#failed;
  }

  fail(endpoint: string, why: string): void {
    this.#failed.set(endpoint, why);
  }
}

/** "Request for unknown model" is the text that clients of other servers look for. */
function unknownEndpoint(endpoint: string): AppError {
  const name = JSON.stringify(endpoint.slice(0, 100));
  return new AppError('ENDPOINT_NOT_FOUND', `Request for unknown model: ${name} is not deployed.`, {
    hint: 'See what is deployed with: millwright endpoints ls',
  });
}

function notReady(endpoint: string, why: string): AppError {
  return new AppError(
    'ENDPOINT_NOT_READY',
    `The model of ${endpoint} could not be loaded: ${why}`,
    {
      hint: 'Mend the cause and start Millwright again, or deploy another version.',
    },
  );
}

export function liveRoute(parts: {
  readonly spec: EndpointSpec;
  readonly revision: RouteRevision;
  readonly warm: readonly WarmModel[];
  readonly features: ReadonlyMap<WarmModel, ServedFeatures>;
}): LiveRoute {
  const { spec, revision, warm, features } = parts;
  const arms = revision.arms.flatMap(({ name, weight, model, version }) => {
    const found = warm.find(
      (one) => one.version.model === model && one.version.version === version,
    );
    return found === undefined ? [] : [{ name, weight, warm: found }];
  });
  const table = layOut(arms, revision.salt);
  return { endpoint: revision.endpoint, spec, revision, table, warm, features };
}
