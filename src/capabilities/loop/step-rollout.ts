import { present } from '../../base/assert.ts';
import { micros, MICROS_PER_SECOND } from '../../base/time.ts';
import {
  end,
  refusalOf,
  type Progress,
  type StepContext,
  type StepDeps,
} from './instance-steps.ts';
import { GUARD_DEFAULT } from './guard.ts';
import { count, sentence, span } from './phrases.ts';
import { LOOP_ACTOR } from './recorder.ts';

/** How often the guard looks: often enough to act the same day, seldom enough to have news. */
export const LOOK_MICROS = 6 * 3600 * MICROS_PER_SECOND;

/** Blue/green: the challenger takes all traffic, the champion stays warm. */
export async function stepRollout(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { ports, recorder, faults } = deps;
  const { loop, instance, policy, at, signal } = context;
  const { endpoint } = policy;
  const { routeRevision } = instance.course;
  const challenger = present(instance.challenger, 'the challenger of a rollout');
  const current = await ports.releases.current(endpoint);
  let revision = current?.revision ?? 0;
  // Deployed already: a crash came between the route and this record.
  const isOut =
    current?.version === challenger && revision === routeRevision + 1 && current.by === LOOP_ACTOR;
  if (!isOut) {
    try {
      const reason = `loop ${loop.name}: ${instance.causes.map(({ kind }) => kind).join(', ')}`;
      const change = { endpoint, version: challenger, ifRevision: routeRevision, reason };
      revision = await ports.releases.deploy(change);
      faults.hit('loop.after-deploy');
    } catch (thrown) {
      return refused(deps, context, refusalOf(thrown, signal));
    }
  }
  const limits = (await ports.releases.guardOf(endpoint)) ?? GUARD_DEFAULT;
  const deployed = { at, revision };
  const stand = `${count(limits.requests)} requests and ${span(limits.forMicros)}`;
  const reason = sentence(
    `v${challenger} takes the traffic of ${endpoint} (revision ${revision}); ` +
      `its guard takes ${stand}, v${instance.champion} stays warm`,
  );
  const inputs = { challenger, champion: instance.champion, revision, guard: limits };
  await recorder.move(loop, instance, {
    change: {
      state: 'guarding',
      course: { ...instance.course, deployed, nextLook: micros(at + LOOK_MICROS) },
    },
    decision: { kind: 'deployed', at, reason, inputs },
  });
  return 'again';
}

/** The checks before a deployment are guardrails too; a route that moved is somebody's will. */
function refused(
  deps: StepDeps,
  context: StepContext,
  error: { readonly code: string; readonly message: string },
): Promise<Progress> {
  const { instance, policy } = context;
  const { code, message } = error;
  const bare = message.replace(/\.$/, '');
  const inputs = { code, message, challenger: instance.challenger };
  if (code === 'STALE_REVISION') {
    const reason = `the route of ${policy.endpoint} changed since the gate: ${bare}`;
    return end(deps, context, { to: 'superseded', reason, inputs });
  }
  const reason = `v${instance.challenger} is rejected before it takes traffic: ${bare}`;
  return end(deps, context, { to: 'rejected', reason, inputs });
}
