import {
  LoopSpec,
  type Decision,
  type DecisionKind,
  type Instance,
  type Loop,
} from '../../src/capabilities/loop/contract.ts';
import { at, hex } from './fixture-values.ts';

/** What a loop decided, as a fixture server answers it. */
export interface LoopFixture {
  readonly loops: readonly Loop[];
  /** Newest first. */
  readonly decisions: readonly Decision[];
  readonly instances: readonly Instance[];
  readonly sentences: readonly string[];
}

const HOUR = 3600;
const DAY = 24 * HOUR;
/** 2001-05-24, as the fixture of monitors has it. */
const TODAY = 990_662_400;
const MICROS = 1e6;
const micros = (back: number): number => (TODAY - back * DAY) * MICROS;
const POLICY = '1ae6e4f86384';

/** A version that was promoted, one that was rejected, one under guard, and a wish held back. */
export function loopFixture(): LoopFixture {
  const decisions = decisionsOf();
  const instances = [
    instance(3, { state: 'guarding', challenger: 4, back: 2, endedAt: null }),
    instance(2, { state: 'rejected', challenger: 3, back: 9, endedAt: at(TODAY - 9 * DAY + 7200) }),
    instance(1, { state: 'promoted', challenger: 2, back: 30, endedAt: at(TODAY - 27 * DAY) }),
  ];
  return {
    loops: [loopOf(instances[0]!, decisions[0]!)],
    decisions,
    instances,
    sentences: [
      'Guarding since 2001-05-22: 2,114 of 4,000 requests, 1 day 6 h of 2 days.',
      'Last decision, 2001-05-22: v4 takes the traffic of late (revision 4).',
      '3 of 8 retrains in 30 days used; 30,114 matured rows since the champion took traffic, 20,000 needed.',
    ],
  };
}

/** The same with nothing under way: a stop, an approval that is waited for, or an open breaker. */
export function idleLoop(state: 'stopped' | 'held' | 'broken'): LoopFixture {
  const busy = loopFixture();
  const [loop] = busy.loops;
  const held = { ...busy.instances[0]!, state: 'held' as const, deployedAt: null, waitsFor: null };
  const stopped = {
    by: 'ana',
    reason: 'the source moves to another system',
    since: at(TODAY - DAY),
    until: null,
  };
  return {
    ...busy,
    loops: [
      {
        ...loop!,
        instance: state === 'held' ? held : null,
        stopped: state === 'stopped' ? stopped : null,
        breaker: { failures: state === 'broken' ? 3 : 0, of: 3 },
        cooldownUntil: state === 'broken' ? at(TODAY + 5 * DAY) : null,
      },
    ],
  };
}

/** Years of decisions. */
export function longLoop(count: number): LoopFixture {
  const one = loopFixture();
  const decisions = Array.from({ length: count }, (_, index) =>
    decision(count - index, index % 9 === 0 ? 'admitted' : 'suppressed', {
      back: index,
      reason: `only ${index} requests have matured labels, 20,000 needed.`,
    }),
  );
  return { ...one, decisions };
}

function loopOf(instance: Instance, lastDecision: Decision): Loop {
  return {
    name: 'late',
    endpoint: 'late',
    spec: LoopSpec.parse({
      pipeline: 'train',
      triggers: ['quality', 'drift', { age: '60d' }],
      autonomy: 'full',
    }),
    policy: POLICY,
    stopped: null,
    champion: { model: 'late', version: 4, since: at(TODAY - 2 * DAY) },
    instance,
    cooldownUntil: null,
    retrains: { used: 3, of: 8, per: '30d' },
    breaker: { failures: 1, of: 3 },
    lastDecision,
  };
}

function instance(
  number: number,
  of: Pick<Instance, 'state' | 'challenger' | 'endedAt'> & { readonly back: number },
): Instance {
  const { back, ...rest } = of;
  return {
    ...rest,
    id: `li_${hex(number, 32)}`,
    loop: 'late',
    causes: [
      {
        kind: 'quality',
        says: 'auc 0.70, was 0.75 over its first 28 days',
        at: at(TODAY - back * DAY),
      },
    ],
    actor: 'loop',
    startedAt: at(TODAY - back * DAY),
    model: 'late',
    champion: number === 1 ? 1 : 2,
    pipeline: 'train',
    pipelineRun: `prun_${hex(number, 32)}`,
    evaluation: { from: at(TODAY - (back + 4) * DAY), until: at(TODAY - (back + 1) * DAY) },
    deployedAt: rest.state === 'rejected' ? null : at(TODAY - back * DAY + 2 * HOUR),
    waitsFor: rest.endedAt === null ? '2,114 of 4,000 requests, 1 day 6 h of 2 days' : null,
    nextLook: rest.endedAt === null ? at(TODAY + 6 * HOUR) : null,
  };
}

function decision(
  id: number,
  kind: DecisionKind,
  of: {
    readonly back: number;
    readonly reason: string;
    readonly inputs?: Record<string, unknown>;
    readonly instance?: number;
    readonly actor?: string;
  },
): Decision {
  return {
    id,
    loop: 'late',
    instance: of.instance === undefined ? null : `li_${hex(of.instance, 32)}`,
    at: at(TODAY - of.back * DAY),
    wall: at(TODAY + 800_000_000 + id),
    kind,
    actor: of.actor ?? 'loop',
    reason: of.reason,
    inputs: of.inputs ?? {},
    policy: POLICY,
  };
}

const FIGURES = { auc: 0.7231, logLoss: 0.292, meanScore: 0.1158, missing: 0 };
const BETTER = { auc: 0.741, logLoss: 0.2741, meanScore: 0.1126, missing: 0 };
const TRAINED = {
  trainingSet: { name: 'late_train', version: 2 },
  until: micros(34),
  definition: hex(5, 64),
};

function compared(value: number, lower: number, upper: number) {
  const improvement = { value, lower, upper, level: 0.95 };
  const rows = { rows: 50_692, positives: 5010, blocks: 3 };
  return { ...rows, champion: FIGURES, challenger: BETTER, improvement };
}

function gate(comparison: object, challenger: number): Record<string, unknown> {
  return {
    champion: 1,
    challenger,
    evaluation: { from: micros(34), until: micros(31) },
    trained: { champion: TRAINED, challenger: TRAINED },
    comparison,
    why: null,
    guardrails: [
      { name: 'signature', result: 'passed', summary: 'the same tensors' },
      { name: 'latency', result: 'vetoed', summary: 'a run takes 9 ms, the champion’s 0.2 ms' },
      { name: 'scores', result: 'not_done', summary: 'no mean score to compare' },
    ],
    metric: 'log_loss',
    evaluationVersion: 3,
  };
}

function situation(): Record<string, unknown> {
  return {
    evaluation: `eval_${hex(1001, 32)}`,
    causes: [{ kind: 'age', says: 'version 1 has answered for 60 days', doubt: null }],
    findings: [
      {
        kind: 'quality',
        subject: 'auc',
        version: 1,
        state: 'ok',
        isBreach: false,
        explanation: 'auc 0.7532 over 7 days: within 0.02.',
      },
    ],
    release: { model: 'late', version: 1, revision: 1, by: 'ana', since: micros(84) },
    past: { cooldownUntil: null, failures: 1, retrains: 2 },
    maturedRows: 98_382,
    gateSpan: { from: micros(34), until: micros(31) },
    exclusions: [{ from: micros(4), until: micros(1), reason: 'distance changed its unit' }],
    incidents: [],
    open: null,
  };
}

function guard(): Record<string, unknown> {
  return {
    at: micros(27),
    deployedAt: micros(30),
    champion: 1,
    challenger: 2,
    limits: { requests: 4000, forMicros: 2 * DAY * MICROS },
    isOverridden: false,
    requests: 4880,
    errors: 3,
    former: { requests: 4790, errors: 2 },
    comparison: compared(0.018, -0.002, 0.031),
    early: null,
    why: null,
    metric: 'log_loss',
  };
}

const PASSED =
  'v2 against v1 on 50,692 rows of 3 days: better by 0.018, lower bound +0.009 (95 %).';
const REFUSED =
  'Challenger v3 is rejected: better by 0.002, but the lower bound −0.001 (95 %) is not above 0.';

function decisionsOf(): readonly Decision[] {
  const trained = {
    stage: 'train',
    pipelineRun: `prun_${hex(1, 32)}`,
    challenger: 2,
    trained: TRAINED,
  };
  const oldestFirst = [
    decision(1, 'suppressed', {
      back: 40,
      reason: 'inputs moved; no retrain: drift alone.',
      inputs: situation(),
    }),
    decision(2, 'admitted', {
      back: 30,
      reason: 'version 1 has answered for 60 days: retrains.',
      inputs: situation(),
      instance: 1,
    }),
    decision(3, 'trained', {
      back: 30,
      reason: 'Train made version 2 of late.',
      inputs: trained,
      instance: 1,
    }),
    decision(4, 'gate_passed', {
      back: 30,
      reason: PASSED,
      inputs: gate(compared(0.018, 0.009, 0.027), 2),
      instance: 1,
    }),
    decision(5, 'deployed', {
      back: 30,
      reason: 'v2 takes the traffic of late (revision 2).',
      instance: 1,
    }),
    decision(6, 'promoted', {
      back: 27,
      reason: 'Guard passed after 4,880 requests.',
      inputs: guard(),
      instance: 1,
    }),
    decision(7, 'rejected', {
      back: 9,
      reason: REFUSED,
      inputs: gate(compared(0.002, -0.001, 0.005), 3),
      instance: 2,
    }),
    decision(8, 'excluded', {
      back: 3,
      reason: 'distance is 1.609 times what it was: kept out of training.',
    }),
    decision(9, 'overridden', {
      back: 2,
      reason: 'rolled out all the same by ana: <b>a demonstration</b>.',
      inputs: gate(compared(-0.07, -0.11, -0.02), 4),
      instance: 3,
      actor: 'ana',
    }),
    decision(10, 'deployed', {
      back: 2,
      reason: 'v4 takes the traffic of late (revision 4).',
      instance: 3,
    }),
  ];
  return oldestFirst.toReversed();
}
