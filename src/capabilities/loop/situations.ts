import { micros, type Micros } from '../../base/time.ts';
import type { Situation } from './admission.ts';
import { pastOf, type Past } from './cooldown.ts';
import { evaluationSpan } from './evaluation-span.ts';
import {
  causesOf,
  incidentsOf,
  type CauseFacts,
  type EvaluationFacts,
  type QualityMemory,
} from './findings.ts';
import { compilePolicy, type LoopPolicy } from './loop-policy.ts';
import type { LoopPorts } from './ports.ts';
import type { LoopStore } from './store.ts';
import type { Stop, StoredLoop } from './stored.ts';

type SituationPorts = Pick<LoopPorts, 'releases' | 'requests' | 'exclusions'>;

/** Gathers what the policy decides on: plain data, as of one domain time. */
export class Situations {
  readonly #store: LoopStore;
  readonly #ports: SituationPorts;

  constructor(deps: { readonly store: LoopStore; readonly ports: SituationPorts }) {
    this.#store = deps.store;
    this.#ports = deps.ports;
  }

  async at(
    loop: StoredLoop,
    about: {
      readonly at: Micros;
      readonly evaluation: EvaluationFacts | null;
      readonly quality: QualityMemory;
      /** What a person asks for, besides what the evaluation finds; alone when not null. */
      readonly asked?: CauseFacts | null;
    },
  ): Promise<{ readonly policy: LoopPolicy; readonly situation: Situation }> {
    const { at, evaluation, quality, asked = null } = about;
    const { releases, requests, exclusions } = this.#ports;
    const policy = compilePolicy(loop.name, loop.spec);
    const { endpoint, holdoutDays } = policy;
    const [release, matureMicros, past, open] = await Promise.all([
      releases.current(endpoint),
      requests.matureMicros(endpoint),
      this.past(loop, policy, at),
      this.#store.openInstance(loop.name),
    ]);
    const span = evaluationSpan({ at, matureMicros, holdoutDays });
    const matured = { from: release?.since ?? at, until: micros(at - matureMicros) };
    const maturedRows =
      matured.from < matured.until ? await requests.labelled({ endpoint, span: matured, at }) : 0;
    const facts = { at, evaluation, maturedRows, quality };
    const found = release === null ? [] : causesOf(policy, { ...facts, release });
    const situation: Situation = {
      at,
      causes: asked === null ? found : [asked],
      release,
      stopped: stopAt(loop.stopped, at),
      open:
        open === null
          ? null
          : {
              id: open.id,
              state: open.state,
              startedAt: open.startedAt,
              causes: open.causes.map(({ kind }) => kind),
            },
      past,
      maturedRows,
      evaluation: span,
      exclusions: await exclusions.touching(span),
      incidents: incidentsOf(evaluation),
    };
    return { policy, situation };
  }

  /** What former instances keep the next one from; a training under way uses its budget. */
  async past(loop: StoredLoop, policy: LoopPolicy, at: Micros): Promise<Past> {
    const ended = await this.#store.ended(loop.name);
    const open = await this.#store.openInstance(loop.name);
    const past = pastOf(policy, at, ended, loop.resumedAt);
    const training = open === null || open.course.stage === null ? 0 : 1;
    return { ...past, retrains: past.retrains + training };
  }
}

/** A freeze ends by itself. */
export function stopAt(stopped: Stop | null, at: Micros): Stop | null {
  return stopped?.until !== null && stopped !== null && stopped.until <= at ? null : stopped;
}

/** The numbers of a situation, as a decision keeps them. */
export function situationInputs(
  situation: Situation,
  evaluation: EvaluationFacts | null,
): Readonly<Record<string, unknown>> {
  const { release, past, maturedRows, causes, exclusions, incidents } = situation;
  const shown = new Set(['quality', 'calibration', 'drift', 'score_drift', 'unit_change']);
  const findings = (evaluation?.findings ?? []).filter(
    ({ kind, state }) => kind === 'quality' || (shown.has(kind) && state === 'alert'),
  );
  return {
    evaluation: evaluation?.id ?? null,
    causes,
    findings: findings.slice(0, FINDINGS_KEPT),
    release,
    past,
    maturedRows,
    gateSpan: situation.evaluation,
    exclusions,
    incidents: incidents.slice(0, FINDINGS_KEPT),
    open: situation.open?.id ?? null,
  };
}

/** A decision is read by people; the evaluation it names has all of them. */
const FINDINGS_KEPT = 20;
