import { formatInstant, micros, MICROS_PER_SECOND, type Clock } from '../../base/time.ts';
import type { GuardProgress } from './contract.ts';
import { GUARD_DEFAULT, GUARD_SPANS_MAX, type GuardLook } from './guard.ts';
import { compilePolicy } from './loop-policy.ts';
import type { LoopPorts } from './ports.ts';
import type { LoopStore } from './store.ts';

interface On {
  readonly store: Pick<LoopStore, 'requireLoop' | 'openInstance'>;
  readonly ports: {
    readonly releases: Pick<LoopPorts['releases'], 'guardOf'>;
    readonly requests: Pick<LoopPorts['requests'], 'answered'>;
  };
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * How far the guard of a loop's rollout is: requests and time as of now, the difference of the
 * versions as its newest look found it. Null while nothing is under guard.
 */
export async function guardProgress(
  { store, ports, clock }: On,
  name: string,
): Promise<GuardProgress | null> {
  const loop = await store.requireLoop(name);
  const instance = await store.openInstance(name);
  if (instance?.state !== 'guarding') return null;
  const { challenger, course } = instance;
  const { deployed, look = null } = course;
  if (challenger === null || deployed === null) return null;
  const at = clock.now();
  const { endpoint, metric } = compilePolicy(name, loop.spec);
  const limits = (await ports.releases.guardOf(endpoint)) ?? GUARD_DEFAULT;
  const span = { from: deployed.at, until: at };
  const since = await ports.requests.answered({ endpoint, version: challenger, span });
  return {
    instance: instance.id,
    at: formatInstant(at),
    deployedAt: formatInstant(deployed.at),
    model: instance.model,
    champion: instance.champion,
    challenger,
    answered: since,
    seconds: (at - deployed.at) / MICROS_PER_SECOND,
    wants: { requests: limits.requests, seconds: limits.forMicros / MICROS_PER_SECOND },
    givesUpAt: formatInstant(micros(deployed.at + GUARD_SPANS_MAX * limits.forMicros)),
    isOverridden: course.override !== null,
    nextLook: formatInstant(course.nextLook),
    metric,
    look: look === null ? null : lookOf(look, course.waitsFor),
  };
}

function lookOf(look: GuardLook, waitsFor: string | null): GuardProgress['look'] {
  const { at, former, comparison, early } = look;
  const improvement = comparison?.improvement ?? null;
  return {
    at: formatInstant(at),
    says: waitsFor ?? '',
    former,
    improvement:
      comparison === null || improvement === null
        ? null
        : { ...improvement, rows: comparison.rows, days: comparison.blocks },
    early:
      early?.improvement == null
        ? null
        : { upper: early.improvement.upper, level: early.improvement.level },
  };
}
