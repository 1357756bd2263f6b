import { present } from '../../base/assert.ts';
import { micros } from '../../base/time.ts';
import type { Comparison } from './gate.ts';
import { GUARD_DEFAULT, GUARD_EARLY_LEVEL, judgeGuard, type GuardLook } from './guard.ts';
import {
  end,
  refusalOf,
  type Progress,
  type StepContext,
  type StepDeps,
} from './instance-steps.ts';
import { LOOP_ACTOR } from './recorder.ts';
import { LOOK_MICROS } from './step-rollout.ts';

/** Looks at what the new version did with real requests; keeps it, or puts the former one back. */
export async function stepGuard(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { ports, recorder } = deps;
  const { loop, instance, policy, at } = context;
  if (at < instance.course.nextLook) return 'wait';
  const deployed = present(instance.course.deployed, 'the deployment under guard');
  const challenger = present(instance.challenger, 'the challenger under guard');
  const current = await ports.releases.current(policy.endpoint);
  const revision = current?.revision ?? 0;
  // The next revision with the champion is our own rollback, cut short before it was recorded.
  const isBack =
    revision === deployed.revision + 1 &&
    current?.version === instance.champion &&
    current.by === LOOP_ACTOR;
  if (revision !== deployed.revision && !isBack) {
    return end(deps, context, {
      to: 'superseded',
      reason: `the route of ${policy.endpoint} was changed by hand to revision ${revision} while v${challenger} was under guard`,
      inputs: { deployed, revision },
    });
  }
  const look = await lookAt(deps, context);
  const verdict = judgeGuard(policy, look);
  const inputs = { ...look, metric: policy.metric };
  if (verdict.kind === 'promoted') {
    await ports.releases.promote(instance.model, challenger);
    deps.faults.hit('loop.after-promote');
    return end(deps, context, { to: 'promoted', reason: verdict.reason, inputs });
  }
  if (verdict.kind !== 'wait') {
    return rollBack(deps, context, { isBack, reason: verdict.reason, inputs });
  }
  const course = {
    ...instance.course,
    nextLook: micros(at + LOOK_MICROS),
    waitsFor: verdict.reason,
    look,
  };
  await recorder.move(loop, instance, { change: { course }, decision: null });
  return 'wait';
}

async function rollBack(
  deps: StepDeps,
  context: StepContext,
  by: {
    readonly isBack: boolean;
    readonly reason: string;
    readonly inputs: Readonly<Record<string, unknown>>;
  },
): Promise<Progress> {
  const { instance, policy, signal } = context;
  const { isBack, reason, inputs } = by;
  const { routeRevision } = instance.course;
  const { revision } = present(instance.course.deployed, 'the deployment under guard');
  if (!isBack) {
    try {
      const change = { endpoint: policy.endpoint, ifRevision: revision, to: routeRevision, reason };
      await deps.ports.releases.rollback(change);
    } catch (thrown) {
      const { message } = refusalOf(thrown, signal);
      const failed = `${reason} The rollback was refused, and v${instance.challenger} still answers: ${message}`;
      return end(deps, context, { to: 'failed', reason: failed, inputs });
    }
    deps.faults.hit('loop.after-rollback');
  }
  return end(deps, context, { to: 'rolled_back', reason, inputs });
}

async function lookAt(deps: StepDeps, context: StepContext): Promise<GuardLook> {
  const { releases, requests, judge } = deps.ports;
  const { instance, policy, at } = context;
  const { endpoint, metric, level } = policy;
  const { model, champion } = instance;
  const challenger = present(instance.challenger, 'the challenger under guard');
  const { at: deployedAt } = present(instance.course.deployed, 'the deployment under guard');
  const matureMicros = await requests.matureMicros(endpoint);
  const matured = { from: deployedAt, until: micros(at - matureMicros) };
  let why: string | null = null;
  const compare = async (oneSided: number): Promise<Comparison | null> => {
    if (matured.from >= matured.until) return null;
    const versions = { model, champion, challenger, metric, level: oneSided };
    try {
      return await judge.onLog({ ...versions, endpoint, span: matured, at });
    } catch (thrown) {
      // Such as vectors of another definition: the guard goes on without, and does not pass.
      why = refusalOf(thrown, context.signal).message.replace(/\.$/, '');
      return null;
    }
  };
  const since = { from: deployedAt, until: at };
  const before = { from: micros(deployedAt - (at - deployedAt)), until: deployedAt };
  const answered = await requests.answered({ endpoint, version: challenger, span: since });
  return {
    at,
    deployedAt,
    champion,
    challenger,
    limits: (await releases.guardOf(endpoint)) ?? GUARD_DEFAULT,
    isOverridden: instance.course.override !== null,
    ...answered,
    former: await requests.answered({ endpoint, version: champion, span: before }),
    comparison: await compare(level),
    early: await compare(GUARD_EARLY_LEVEL),
    why,
  };
}
