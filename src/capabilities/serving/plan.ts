import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { Declared, PlannedChange, PlanPart } from '../../platform/capability.ts';
import { EndpointName } from '../predictions/contract.ts';
import { Durability, EndpointSpec, type Rollout } from './contract.ts';
import type { FeatureSource } from './served-features.ts';
import type { ServingService } from './service.ts';
import type { StoredEndpoint } from './store.ts';

/** The section `endpoints`: what an endpoint is, not which version it serves. */
const DeclaredEndpoint = z.strictObject({
  ...EndpointSpec.pick({ model: true, service: true, key: true, sticky: true, rollout: true })
    .shape,
  log: z.strictObject({ durability: Durability.default('async') }).optional(),
});
export const EndpointsSection = z.record(EndpointName, DeclaredEndpoint);

const KEYS = ['model', 'service', 'key', 'sticky', 'rollout', 'log'];
const LOG_KEYS = ['durability'];
const ROLLOUT_KEYS = ['strategy', 'guard'];
const GUARD_KEYS = ['requests', 'for'];

interface PlanDeps {
  readonly serving: Pick<ServingService, 'put' | 'stored' | 'servicesInUse'>;
  readonly features: Pick<FeatureSource, 'has'>;
}

interface Difference {
  readonly name: string;
  readonly spec: EndpointSpec;
  readonly change: PlannedChange;
}

/**
 * Endpoints of `millwright.yaml`. One that the file does not name is left alone: endpoints are made
 * by command as well, and have clients.
 */
export function endpointsPlan(deps: PlanDeps): PlanPart {
  return {
    sections: ['endpoints'],
    plan: async (declared) => (await differences(declared, deps)).map(({ change }) => change),
    apply: async (declared, actor) => {
      const found = await differences(declared, deps);
      for (const { name, spec } of found) await deps.serving.put(name, spec, actor);
      return found.map(({ change }) => change);
    },
  };
}

async function differences(declared: Declared, deps: PlanDeps): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  const wanted = specs(declared['endpoints']);
  const services = servicesOf(declared);
  await assertNoneRemoved(new Map(wanted), services, deps);
  for (const [name, spec] of wanted) {
    assertService(name, spec, services);
    const former = await deps.serving.stored(name);
    const isDeployed = former !== null && former.currentRevision > 0;
    if (isDeployed && former.model !== spec.model) {
      throw invalid(['endpoints', name, 'model'], `It serves the model ${former.model}.`, {
        hint: 'An endpoint keeps its model, so that its log stays comparable; declare another one.',
      });
    }
    const change = former === null ? created(name, spec) : changed(name, former, spec);
    if (change !== null) found.push({ name, spec, change });
  }
  return found;
}

function specs(section: unknown): readonly (readonly [string, EndpointSpec])[] {
  const parsed = EndpointsSection.safeParse(section ?? {});
  if (!parsed.success) throw firstIssue(parsed.error);
  return Object.entries(parsed.data).map(([name, { log, ...spec }]) => [
    name,
    { ...spec, durability: log?.durability ?? 'async' },
  ]);
}

function firstIssue(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const path = ['endpoints', ...issue!.path.map((part) => (typeof part === 'symbol' ? '' : part))];
  if (issue!.code !== 'unrecognized_keys') return invalid(path, issue!.message);
  const [key] = issue.keys;
  const known = knownKeys(path);
  const near = nearestName(key!, known);
  return invalid([...path, key!], `There is no setting ${key}.`, {
    hint: near === null ? `Known are ${known.join(', ')}.` : `Did you mean ${near}?`,
  });
}

function knownKeys([, , part, inner]: readonly (string | number)[]): readonly string[] {
  if (part === 'log') return LOG_KEYS;
  if (part !== 'rollout') return KEYS;
  return inner === undefined ? ROLLOUT_KEYS : GUARD_KEYS;
}

/** Names of the services that there are once the file is applied: it removes all others. */
function servicesOf({ services }: Declared): readonly string[] {
  return typeof services === 'object' && services !== null ? Object.keys(services) : [];
}

/** A service stays as long as an endpoint names it, also one that the file does not name. */
async function assertNoneRemoved(
  wanted: ReadonlyMap<string, EndpointSpec>,
  services: readonly string[],
  { serving, features }: PlanDeps,
): Promise<void> {
  for (const { endpoint, named, routed } of await serving.servicesInUse()) {
    for (const service of [wanted.has(endpoint) ? null : named, routed]) {
      if (service === null || services.includes(service)) continue;
      if (!(await features.has(service))) continue;
      throw invalid(
        ['services'],
        `The feature service ${service} would be removed, but the endpoint ${endpoint} names it.`,
        { hint: 'Declare the service, or deploy the endpoint without it before.' },
      );
    }
  }
}

function assertService(name: string, { service }: EndpointSpec, services: readonly string[]): void {
  if (service === null || services.includes(service)) return;
  const near = nearestName(service, services);
  throw invalid(['endpoints', name, 'service'], `There is no feature service ${service}.`, {
    hint: near === null ? 'Declare it in the section services.' : `Did you mean ${near}?`,
  });
}

function invalid(
  path: readonly (string | number)[],
  message: string,
  options: { readonly hint?: string } = {},
): AppError {
  return new AppError('INVALID_CONFIG', message, { ...options, details: { path } });
}

function created(name: string, spec: EndpointSpec): PlannedChange {
  const { model, service, key, rollout } = spec;
  const parts = [`model ${model}`];
  if (service !== null) parts.push(`service ${service}`);
  if (key !== null) parts.push(`key ${key}`);
  if (rollout !== null) parts.push(rolloutText(rollout));
  return { action: 'create', kind: 'endpoint', name, summary: parts.join(', ') };
}

function changed(name: string, former: StoredEndpoint, spec: EndpointSpec): PlannedChange | null {
  const parts: string[] = [];
  const compare = (what: string, before: string | null, after: string | null, when = ''): void => {
    if (before !== after) parts.push(`${what} ${before ?? 'none'} → ${after ?? 'none'}${when}`);
  };
  compare('model', former.model, spec.model);
  const next = former.currentRevision > 0 ? ' (with the next deployment)' : '';
  compare('service', former.service, spec.service, next);
  compare('key', former.key, spec.key);
  compare('sticky', former.sticky, spec.sticky);
  compare('durability', former.durability, spec.durability);
  const text = (rollout: Rollout | null) => (rollout === null ? null : rolloutText(rollout));
  compare('rollout', text(former.rollout), text(spec.rollout));
  if (parts.length === 0) return null;
  return { action: 'change', kind: 'endpoint', name, summary: parts.join(', ') };
}

function rolloutText({ strategy, guard }: Rollout): string {
  if (guard === null) return strategy;
  const { requests, for: span } = guard;
  return `${strategy} with a guard of ${requests} requests and ${span}`;
}
