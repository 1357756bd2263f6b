import { AppError } from '../../base/errors.ts';
import { BUCKETS, type Arm, type RouteRevision } from './contract.ts';
import type { StoredEndpoint } from './store.ts';

export interface ChangeRequest {
  readonly endpoint: string;
  readonly actor: string;
  readonly reason: string;
  readonly ifRevision: number | undefined;
}

export interface DeployRequest extends ChangeRequest {
  readonly version: number;
  /** What the caller takes the endpoint's model to be. */
  readonly model?: string | undefined;
}

/** What a change of route says besides who wanted it and why. */
export interface Change {
  readonly arms: readonly Arm[];
  /** The feature service that is joined to requests; definition null: the newest. */
  readonly features: { readonly service: string; readonly definition: string | null } | null;
  /** Versions that were replayed under these features before, and are not again. */
  readonly replayed: ReadonlySet<number>;
  readonly salt: string;
  readonly restores: number | null;
  readonly kind: 'deployed' | 'split' | 'rolled_back' | 'drilled';
}

/** A revision's arms, features and salt again; its versions were replayed under them before. */
export function restoring(
  { revision, arms, features, salt }: RouteRevision,
  kind: 'rolled_back' | 'drilled',
): Change {
  const replayed = new Set(arms.map(({ version }) => version));
  return { arms, features, replayed, salt, restores: revision, kind };
}

export function nothingToRollBack(endpoint: string): AppError {
  return new AppError('NOTHING_TO_ROLL_BACK', `Endpoint ${endpoint} has no former revision.`, {
    hint: `See its revisions with: millwright endpoints revisions ${endpoint}`,
  });
}

export function newestOf({ service }: StoredEndpoint): Change['features'] {
  return service === null ? null : { service, definition: null };
}

export function assertModel({ name, model }: StoredEndpoint, expected: string | undefined): void {
  if (expected === undefined || expected === model) return;
  throw new AppError('INVALID_INPUT', `Endpoint ${name} serves ${model}, not ${expected}.`, {
    hint: 'See which endpoint serves what: millwright endpoints ls',
  });
}

export function assertCurrent(endpoint: StoredEndpoint, expected: number | undefined): void {
  if (expected === undefined || expected === endpoint.currentRevision) return;
  throw new AppError(
    'STALE_REVISION',
    `The route of ${endpoint.name} is at revision ${endpoint.currentRevision}, not ${expected}.`,
    { hint: 'Look at its newest revision and decide again.' },
  );
}

export function assertArms(arms: readonly Arm[]): void {
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
