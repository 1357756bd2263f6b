import { formatInstant, micros, type Micros } from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import type { Ids } from '../../base/ids.ts';
import type { Step } from '../../platform/db/port.ts';
import { admit, type Admission, type Situation } from './admission.ts';
import type { Cause, DecisionKind } from './contract.ts';
import { follow } from './episodes.ts';
import { qualityAfter, type CauseFacts, type EvaluationFacts } from './findings.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { ended, moment } from './phrases.ts';
import type { LoopPorts } from './ports.ts';
import { LOOP_ACTOR, type NewDecision, type Recorder } from './recorder.ts';
import { situationInputs, type Situations } from './situations.ts';
import type { LoopStore } from './store.ts';
import type { UnitChanges } from './unit-changes.ts';
import type { LoopMemory, StoredInstance, StoredLoop } from './stored.ts';

export interface AdmissionsDeps {
  readonly store: LoopStore;
  readonly ports: Pick<LoopPorts, 'releases'>;
  readonly situations: Situations;
  readonly unitChanges: UnitChanges;
  readonly recorder: Recorder;
  readonly ids: Ids;
}

/** Steps to commit, and the decisions they hold. */
interface Admitted {
  readonly steps: readonly Step[];
  readonly decisions: readonly NewDecision[];
}

/** Decides whether something begins: from evaluations by itself, or because a person asks. */
export class Admissions {
  readonly #deps: AdmissionsDeps;

  constructor(deps: AdmissionsDeps) {
    this.#deps = deps;
  }

  /** Repeating it for an evaluation that was handled adds nothing. */
  async onEvaluation(loop: StoredLoop, evaluation: EvaluationFacts): Promise<Admitted> {
    const { at } = evaluation;
    if (loop.memory.evaluatedAt !== null && at <= loop.memory.evaluatedAt) {
      return { steps: [], decisions: [] };
    }
    const excluded = await this.#deps.unitChanges.follow(loop, evaluation);
    const release = await this.#deps.ports.releases.current(loop.spec.endpoint ?? loop.name);
    const former = loop.memory.quality;
    const quality = release === null ? former : qualityAfter(former, evaluation, release.version);
    const { policy, situation } = await this.#deps.situations.at(loop, { at, evaluation, quality });
    const answer = admit(policy, situation);
    const followed = follow(loop.memory.episodes, {
      at,
      causes: situation.causes.map(({ kind }) => kind),
      reason: answer?.kind === 'suppressed' ? answer.by : null,
    });
    const memory: LoopMemory = {
      episodes: followed.episodes,
      quality,
      exclusions: excluded.known,
      evaluatedAt: at,
    };
    const isSaid = answer === null || (answer.kind === 'suppressed' && !followed.isNews);
    const begun = isSaid
      ? NOTHING
      : await this.#begin(loop, { answer, policy, situation, evaluation, actor: LOOP_ACTOR });
    return this.#together(loop, memory, excluded.decisions, begun);
  }

  /** A person asks: answered with a decision always, also with one that it joins. */
  async onRequest(
    loop: StoredLoop,
    request: {
      readonly at: Micros;
      readonly actor: string;
      readonly cause: CauseFacts;
      readonly stage: string | null;
      readonly evaluation: EvaluationFacts | null;
    },
  ): Promise<Admitted> {
    const { at, actor, cause, stage, evaluation } = request;
    const { quality } = loop.memory;
    const about = { at, evaluation, quality, asked: cause };
    const { policy, situation } = await this.#deps.situations.at(loop, about);
    const answer = admit(policy, situation) ?? alreadyJoined(situation);
    const begun = await this.#begin(loop, {
      answer,
      policy,
      situation,
      evaluation,
      actor,
      stage: stage ?? policy.pipeline,
    });
    return this.#together(loop, loop.memory, [], begun);
  }

  #together(
    loop: StoredLoop,
    memory: LoopMemory,
    excluded: readonly NewDecision[],
    begun: { readonly changes: readonly Step[]; readonly decisions: readonly NewDecision[] },
  ): Admitted {
    const { store, recorder } = this.#deps;
    const decisions = [...excluded, ...begun.decisions];
    return {
      decisions,
      steps: [
        store.changeLoop(loop, { memory }),
        ...begun.changes,
        ...decisions.flatMap((decision) => recorder.steps(loop, decision)),
      ],
    };
  }

  async #begin(
    loop: StoredLoop,
    on: {
      readonly answer: Admission;
      readonly policy: LoopPolicy;
      readonly situation: Situation;
      readonly evaluation: EvaluationFacts | null;
      readonly actor: string;
      readonly stage?: string;
    },
  ) {
    const { store, recorder } = this.#deps;
    const { answer, policy, situation, actor, stage = policy.pipeline } = on;
    const { at } = situation;
    const inputs = situationInputs(situation, on.evaluation);
    const decision = (kind: DecisionKind, instance: string | null): NewDecision => ({
      kind,
      at,
      reason: answer.reason,
      inputs,
      instance,
      actor,
    });
    if (answer.kind === 'suppressed') {
      return { changes: [], decisions: [decision('suppressed', null)] };
    }
    if (answer.kind === 'joined') {
      const open = present(await store.openInstance(loop.name), 'the instance to join');
      const causes = [...open.causes, ...toCauses(answer.joining, at)];
      return {
        changes: [store.changeInstance(open, { causes })],
        decisions: [decision('joined', open.id)],
      };
    }
    const instance = this.#instance(loop, { policy, situation, actor, stage });
    return {
      changes: [store.insertInstance(instance), recorder.timer(instance)],
      decisions: [decision('admitted', instance.id)],
    };
  }

  #instance(
    loop: StoredLoop,
    on: {
      readonly policy: LoopPolicy;
      readonly situation: Situation;
      readonly actor: string;
      readonly stage: string;
    },
  ): StoredInstance {
    const { policy, situation, actor, stage } = on;
    const { at, evaluation, causes } = situation;
    const release = present(situation.release, 'the release of an admission');
    return {
      id: this.#deps.ids.next('li'),
      loop: loop.name,
      state: 'training',
      isManual: causes.some(({ kind }) => kind === 'manual'),
      causes: toCauses(causes, at),
      actor,
      startedAt: at,
      endedAt: null,
      model: release.model,
      champion: release.version,
      challenger: null,
      course: {
        stage,
        pipelineRun: null,
        evaluation,
        routeRevision: release.revision,
        override: null,
        deployed: null,
        nextLook: micros(at + policy.trainingTakesMicros),
        waitsFor: null,
      },
      revision: 1,
    };
  }
}

const NOTHING = { changes: [], decisions: [] } as const;

function alreadyJoined(situation: Situation): Admission {
  const open = present(situation.open, 'the instance under way');
  const [cause] = situation.causes;
  const says = `${cause!.says}: joins the instance under way since ${moment(open.startedAt)}`;
  return { kind: 'joined', joining: situation.causes, reason: ended(says) };
}

function toCauses(causes: readonly CauseFacts[], at: Micros): readonly Cause[] {
  return causes.map(({ kind, says }) => ({ kind, says, at: formatInstant(at) }));
}
