import type { Micros } from '../../base/time.ts';
import { admit, obstaclesOf, type Situation } from './admission.ts';
import type { EvaluationFacts } from './findings.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { count, moment, sentence, span } from './phrases.ts';
import type { StoredInstance } from './stored.ts';

/** What there is to explain at one moment. */
export interface Explained {
  readonly at: Micros;
  readonly policy: LoopPolicy;
  readonly situation: Situation;
  readonly evaluation: EvaluationFacts | null;
  readonly instance: StoredInstance | null;
  /** The newest decision. */
  readonly last: { readonly at: Micros; readonly reason: string } | null;
}

/** Why a loop does what it does, or nothing: what it waits for first, then what would stop it. */
export function explain(facts: Explained): readonly string[] {
  const { policy, situation, instance, last } = facts;
  const sentences: string[] = [];
  if (instance !== null) sentences.push(underWay(instance));
  else sentences.push(...idle(facts));
  if (last !== null) sentences.push(sentence(`last decision, ${moment(last.at)}: ${last.reason}`));
  const { past } = situation;
  const used = `${past.retrains} of ${policy.budget.retrains} retrains in ${span(policy.budget.perMicros)} used`;
  const rows = `${count(situation.maturedRows)} matured rows since the champion took traffic, ${count(policy.minRows)} needed`;
  sentences.push(sentence(`${used}; ${rows}`));
  return sentences;
}

function underWay({ state, startedAt, causes, course, challenger }: StoredInstance): string {
  const since = `since ${moment(startedAt)}`;
  if (state === 'training') {
    const wanted = causes.map(({ says }) => says).join('; ');
    return sentence(`${course.stage} trains a version ${since}, for ${wanted}`);
  }
  if (state === 'held') {
    const until = moment(course.nextLook);
    return sentence(`v${challenger} passed the gate and waits for approval until ${until}`);
  }
  if (state === 'guarding') {
    const first = `v${challenger} is under guard; the first look is at ${moment(course.nextLook)}`;
    return sentence(course.waitsFor ?? first);
  }
  return sentence(`v${challenger} is ${state.replace('_', ' ')} ${since}`);
}

function idle({ at, policy, situation, evaluation }: Explained): readonly string[] {
  if (evaluation === null) {
    return ['No evaluation of its monitor yet, and nothing is asked for without one.'];
  }
  const looked = `looked at last at ${moment(evaluation.at)}`;
  const answer = admit(policy, situation);
  if (answer !== null) {
    const more = obstaclesOf(policy, situation).slice(1);
    const also =
      more.length === 0 ? [] : [sentence(`also: ${more.map(({ says }) => says).join('; ')}`)];
    return [sentence(`${looked}: ${answer.reason}`), ...also];
  }
  const quality = evaluation.findings.find(({ kind }) => kind === 'quality');
  const found = quality === undefined ? '' : `; quality: ${quality.explanation.replace(/\.$/, '')}`;
  const nothing = sentence(`nothing asks for a new version, ${looked}${found}`);
  const obstacles = obstaclesOf(policy, { ...situation, at });
  const [first] = obstacles;
  if (first?.by === 'stopped' || first?.by === 'frozen') return [sentence(first.says), nothing];
  const would = obstacles.map(({ says }) => says).join('; ');
  return obstacles.length === 0
    ? [nothing]
    : [nothing, sentence(`if something did, this would be in the way: ${would}`)];
}
