import type { EndpointSpec, RouteRevision } from './contract.ts';
import { layOut, type RoutingTable } from './routing.ts';
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
}

/**
 * The routes the gateway follows. A switch is one assignment: requests that already chose an arm
 * finish on it.
 */
export class LiveRoutes {
  readonly #byEndpoint = new Map<string, LiveRoute>();

  get(endpoint: string): LiveRoute | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  all(): readonly LiveRoute[] {
    return [...this.#byEndpoint.values()];
  }

  replace(route: LiveRoute): void {
    this.#byEndpoint.set(route.endpoint, route);
  }
}

export function liveRoute(parts: {
  readonly spec: EndpointSpec;
  readonly revision: RouteRevision;
  readonly warm: readonly WarmModel[];
}): LiveRoute {
  const { spec, revision, warm } = parts;
  const arms = revision.arms.flatMap(({ name, weight, model, version }) => {
    const found = warm.find(
      (one) => one.version.model === model && one.version.version === version,
    );
    return found === undefined ? [] : [{ name, weight, warm: found }];
  });
  return { endpoint: revision.endpoint, spec, revision, table: layOut(arms, revision.salt), warm };
}
