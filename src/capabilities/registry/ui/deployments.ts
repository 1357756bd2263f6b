import { formatShare } from '../../../web/kit/format.ts';
import { BUCKETS, type Endpoint } from '../../serving/contract.ts';

/** One version at one endpoint. */
export interface Deployment {
  readonly endpoint: string;
  /** `serving`: it gets traffic; `warm`: loaded, what a rollback would return to. */
  readonly state: 'serving' | 'warm';
  /** Of BUCKETS; 0 where it is only warm. */
  readonly weight: number;
  readonly revision: number;
}

/** Where a version is deployed, the most traffic first. */
export function deploymentsOf(
  endpoints: readonly Endpoint[],
  { model, version }: { readonly model: string; readonly version: number },
): readonly Deployment[] {
  return endpoints
    .filter((endpoint) => endpoint.model === model && endpoint.route !== null)
    .flatMap(({ name, route, warm }): readonly Deployment[] => {
      const revision = route?.revision ?? 0;
      const own = route?.arms.filter((arm) => arm.version === version) ?? [];
      const weight = own.reduce((sum, arm) => sum + arm.weight, 0);
      if (weight > 0) return [{ endpoint: name, state: 'serving', weight, revision }];
      const isWarm = warm.some((held) => held.version === version);
      return isWarm ? [{ endpoint: name, state: 'warm', weight: 0, revision }] : [];
    })
    .toSorted((a, b) => b.weight - a.weight || a.endpoint.localeCompare(b.endpoint));
}

export function deploymentText({ endpoint, state, weight }: Deployment): string {
  if (state === 'warm') return `warm at ${endpoint}`;
  return weight === BUCKETS
    ? `serving ${endpoint}`
    : `serving ${formatShare(weight, BUCKETS)} of ${endpoint}`;
}
