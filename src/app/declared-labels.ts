import type { FeaturesService } from '../capabilities/features/service.ts';
import {
  labelOf,
  type DeclaredLabel,
  type DeclaredLabels,
} from '../capabilities/predictions/declared-labels.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';

/** Endpoints looked at in one read. */
const ENDPOINTS = 1000;

/**
 * Labels as features declares them, for the endpoints that serving has. Which of several is an
 * endpoint's is checked when a file is applied; an endpoint made otherwise has none of them then.
 */
export class EndpointLabels implements DeclaredLabels {
  readonly #features: Pick<FeaturesService, 'labelSources'>;
  readonly #endpoints: Pick<ServingStore, 'listEndpoints'>;

  constructor(deps: {
    readonly features: Pick<FeaturesService, 'labelSources'>;
    readonly endpoints: Pick<ServingStore, 'listEndpoints'>;
  }) {
    this.#features = deps.features;
    this.#endpoints = deps.endpoints;
  }

  async labels(): Promise<readonly DeclaredLabel[]> {
    const declared = await this.#features.labelSources();
    if (declared.length === 0) return [];
    const found: DeclaredLabel[] = [];
    for (let after: string | null = null; ;) {
      const page = await this.#endpoints.listEndpoints({ after, limit: ENDPOINTS });
      for (const endpoint of page) {
        const label = labelOf(endpoint, declared);
        if (label === null || label === 'ambiguous') continue;
        const { name, table, idColumn, timeColumn, valueColumn, matureMicros } = label;
        const from = { table, idColumn, timeColumn, valueColumn };
        found.push({ name, endpoint: endpoint.name, ...from, matureMicros });
      }
      after = page.at(-1)?.name ?? null;
      if (page.length < ENDPOINTS) return found;
    }
  }
}
