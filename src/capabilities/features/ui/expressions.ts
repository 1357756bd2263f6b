import { z } from 'zod';
import type { FeatureDescription, Service, View } from '../contract.ts';

const Aggregates = z.record(z.string(), z.object({ agg: z.string(), of: z.string().optional() }));
const Requests = z.record(z.string(), z.string());

export interface Aggregate {
  readonly name: string;
  readonly function: string;
  /** What is aggregated; null for a count of events, or where the declaration says nothing. */
  readonly of: string | null;
}

/** What a view computes of each window, with the expressions of its declaration. */
export function aggregatesOf({ features, declared }: View): readonly Aggregate[] {
  const written = Aggregates.safeParse(declared['features']).data ?? {};
  return features.map(({ name, function: of }) => ({
    name,
    function: of,
    of: written[name]?.of ?? null,
  }));
}

/**
 * How a feature is computed, as declared: `avg(delay) over the last 7d`, or the expression over the
 * request. Null where the view was declared anew since: then its words are not this feature's.
 */
export function expressionOf(
  feature: FeatureDescription,
  service: Service,
  views: readonly View[],
): string | null {
  if (feature.kind === 'request') {
    const written = Requests.safeParse(service.declared['request']).data ?? {};
    return written[feature.name] ?? null;
  }
  const used = service.views.find(({ name }) => name === feature.view);
  const view = views.find(({ name, hash }) => name === used?.name && hash === used.hash);
  const aggregate =
    view === undefined
      ? undefined
      : aggregatesOf(view).find(({ name }) => name === feature.aggregate);
  if (aggregate === undefined) return null;
  return `${callText(aggregate)} over the last ${feature.window}`;
}

export function callText({ function: call, of }: Aggregate): string {
  return of === null ? `${call} of events` : `${call}(${of})`;
}
