import { present } from '../../base/assert.ts';
import { micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import {
  judgeGate,
  scoresGuardrail,
  type Comparison,
  type GateQuestion,
  type GateVerdict,
} from './gate.ts';
import {
  end,
  refusalOf,
  type Progress,
  type StepContext,
  type StepDeps,
} from './instance-steps.ts';
import { moment, sentence } from './phrases.ts';
import { stopAt } from './situations.ts';

/** What a gate found is about the traffic of its days: later it has to be asked again. */
const APPROVAL_DAYS = 7;

/** Scores challenger and champion on the very same held-out rows, and judges. */
export async function stepGate(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { recorder } = deps;
  const { loop, instance, policy, at } = context;
  const { question, evaluationVersion } = await ask(deps, context);
  const verdict = judgeGate(policy, question);
  const { override } = instance.course;
  const inputs = { ...question, metric: policy.metric, evaluationVersion };
  if (!verdict.isPassed && override === null) {
    return end(deps, context, { to: 'rejected', reason: verdict.reason, inputs });
  }
  const decision = verdict.isPassed
    ? { kind: 'gate_passed' as const, at, reason: verdict.reason, inputs }
    : overridden(verdict, override!, at, inputs);
  const isStopped = stopAt(loop.stopped, at) !== null;
  const isHeld = isStopped || (policy.autonomy !== 'full' && override === null);
  await recorder.move(loop, instance, {
    change: isHeld
      ? { state: 'held', course: { ...instance.course, nextLook: expiryOf(at) } }
      : { state: 'rolling_out' },
    decision: isHeld
      ? { ...decision, kind: 'held', reason: heldText(verdict.reason, at, instance.loop) }
      : decision,
  });
  return 'again';
}

function overridden(
  verdict: GateVerdict,
  override: { readonly actor: string; readonly reason: string },
  at: Micros,
  inputs: Readonly<Record<string, unknown>>,
) {
  const bare = verdict.reason.replace(/\.$/, '');
  const reason = sentence(
    `${bare}; rolled out all the same by ${override.actor}: ${override.reason}`,
  );
  return { kind: 'overridden' as const, at, reason, inputs, actor: override.actor };
}

function expiryOf(at: Micros): Micros {
  return micros(at + APPROVAL_DAYS * 86_400 * MICROS_PER_SECOND);
}

function heldText(verdict: string, at: Micros, loop: string): string {
  const until = moment(expiryOf(at));
  return `${verdict} It waits for approval until ${until}: millwright loop approve ${loop}`;
}

interface Asked {
  readonly question: GateQuestion;
  /** The version of the training set that holds the evaluation rows; null when none was built. */
  readonly evaluationVersion: number | null;
}

async function ask(deps: StepDeps, context: StepContext): Promise<Asked> {
  const { candidates } = deps.ports;
  const { instance } = context;
  const { model, champion } = instance;
  const { evaluation } = instance.course;
  const challenger = present(instance.challenger, 'the challenger before a gate');
  const trained = {
    champion: await candidates.trainedOn(model, champion),
    challenger: await candidates.trainedOn(model, challenger),
  };
  const open = { champion, challenger, evaluation, trained, comparison: null, guardrails: [] };
  const set = trained.challenger.trainingSet;
  if (set === null) {
    return { question: { ...open, why: null }, evaluationVersion: null };
  }
  try {
    const { comparison, version } = await compare(deps, context, set.name);
    const guardrails = await candidates.guardrails({
      endpoint: context.policy.endpoint,
      model,
      champion,
      challenger,
    });
    const question = {
      ...open,
      comparison,
      why: null,
      guardrails: [...guardrails, scoresGuardrail(context.policy.metric, comparison)],
    };
    return { question, evaluationVersion: version };
  } catch (thrown) {
    const { message } = refusalOf(thrown, context.signal);
    return { question: { ...open, why: message.replace(/\.$/, '') }, evaluationVersion: null };
  }
}

async function compare(
  { ports }: StepDeps,
  { instance, policy, at }: StepContext,
  trainingSet: string,
): Promise<{ readonly comparison: Comparison; readonly version: number }> {
  const { model, champion } = instance;
  const challenger = present(instance.challenger, 'the challenger before a gate');
  const span = instance.course.evaluation;
  const version = await ports.evaluationRows.build({ trainingSet, span });
  const comparison = await ports.judge.onRows({
    model,
    champion,
    challenger,
    metric: policy.metric,
    level: policy.level,
    trainingSet,
    trainingVersion: version,
    span,
    at,
  });
  return { comparison, version };
}

/** What waits for a person too long is rejected: the days it was judged on are gone. */
export async function stepHeld(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { instance, at } = context;
  if (at < instance.course.nextLook) return 'wait';
  const reason = `nobody approved v${instance.challenger} within ${APPROVAL_DAYS} days`;
  const inputs = { challenger: instance.challenger };
  return end(deps, context, { to: 'rejected', reason, inputs });
}
