import { describe, expect, test } from 'vitest';
import { present } from '../../base/assert.ts';
import { parseInstant, type Micros } from '../../base/time.ts';
import { LoopSpec } from './contract.ts';
import {
  judgeGate,
  scoresGuardrail,
  type Comparison,
  type GateQuestion,
  type TrainedOn,
} from './gate.ts';
import { judgeGuard, type GuardLook } from './guard.ts';
import { compilePolicy } from './loop-policy.ts';

const policy = compilePolicy('late', LoopSpec.parse({ pipeline: 'train', triggers: ['quality'] }));
const DAY = 86_400_000_000;

function instant(text: string): Micros {
  return present(parseInstant(text), text);
}

function comparison(over: Partial<Comparison> = {}): Comparison {
  const figures = { auc: 0.7, logLoss: 0.43, meanScore: 0.2, missing: 0 };
  return {
    rows: 5120,
    positives: 1024,
    blocks: 3,
    champion: figures,
    challenger: { ...figures, logLoss: 0.412 },
    improvement: { value: 0.018, lower: 0.009, upper: 0.027, level: 0.95 },
    ...over,
  };
}

function better(lower: number, upper = lower + 0.02): Comparison['improvement'] {
  return { value: (lower + upper) / 2, lower, upper, level: 0.95 };
}

function trained(until: string | null): TrainedOn {
  const trainingSet = { name: 'late_train', version: 3 };
  return { trainingSet, until: until === null ? null : instant(until), definition: 'abc' };
}

function question(over: Partial<GateQuestion> = {}): GateQuestion {
  return {
    champion: 1,
    challenger: 2,
    evaluation: { from: instant('2001-04-25T00:00:00Z'), until: instant('2001-04-28T00:00:00Z') },
    trained: {
      champion: trained('2001-03-01T00:00:00Z'),
      challenger: trained('2001-04-25T00:00:00Z'),
    },
    comparison: comparison(),
    why: null,
    guardrails: [],
    ...over,
  };
}

describe('the gate', () => {
  test('passes a lower bound above 0, and says the numbers', () => {
    expect(judgeGate(policy, question())).toEqual({
      isPassed: true,
      reason:
        'v2 against v1 on 5,120 rows of 3 days: log-loss 0.412 against 0.430: ' +
        'better by 0.018, lower bound +0.009 (95 %).',
    });
  });

  test('rejects a better mean whose bound is not above 0', () => {
    const verdict = judgeGate(
      policy,
      question({ comparison: comparison({ improvement: better(0) }) }),
    );
    expect(verdict.isPassed).toBe(false);
    expect(verdict.reason).toContain('better by 0.010, but the lower bound +0.000');
  });

  test('refuses rows the challenger was trained on, however good it is', () => {
    const late = { champion: trained(null), challenger: trained('2001-04-25T12:00:00Z') };
    const verdict = judgeGate(policy, question({ trained: late }));
    expect(verdict).toEqual({
      isPassed: false,
      reason:
        'Challenger v2 is rejected: its training set late_train@3 goes to 2001-04-25 12:00 ' +
        'and overlaps the days of the gate, 2001-04-25 to 2001-04-28.',
    });
  });

  test('refuses a challenger of unknown training, and a champion that saw the days', () => {
    const unknown = { champion: trained(null), challenger: trained(null) };
    expect(judgeGate(policy, question({ trained: unknown })).reason).toContain(
      'no pinned training',
    );
    const champion = {
      champion: trained('2001-04-26T00:00:00Z'),
      challenger: trained('2001-04-25T00:00:00Z'),
    };
    expect(judgeGate(policy, question({ trained: champion })).reason).toContain(
      'the champion itself',
    );
  });

  test('refuses a bound from one day', () => {
    const one = judgeGate(policy, question({ comparison: comparison({ blocks: 1 }) }));
    expect(one.isPassed).toBe(false);
    const none = judgeGate(policy, question({ comparison: comparison({ improvement: null }) }));
    expect(none.reason).toContain('too few for a bound');
    const why = 'it was trained on another definition';
    expect(judgeGate(policy, question({ comparison: null, why })).reason).toContain(why);
  });

  test('lets guardrails veto, never allow', () => {
    const summary = 'it takes 80 ms a request';
    const veto = { name: 'latency' as const, result: 'vetoed' as const, summary };
    expect(judgeGate(policy, question({ guardrails: [veto] })).reason).toContain(summary);
    const passed = { ...veto, result: 'passed' as const };
    const worse = comparison({ improvement: better(-0.01) });
    expect(judgeGate(policy, question({ guardrails: [passed], comparison: worse })).isPassed).toBe(
      false,
    );
  });

  test('vetoes scores that are missing or far from the labels', () => {
    const figures = comparison().challenger;
    const of = (over: object, metric: 'auc' | 'log_loss' = 'auc') =>
      scoresGuardrail(metric, comparison({ challenger: { ...figures, ...over } })).result;
    expect(of({})).toBe('passed');
    expect(of({ missing: 100 })).toBe('vetoed');
    expect(of({ meanScore: 0.45 })).toBe('vetoed');
    expect(of({ meanScore: 0.45 }, 'log_loss')).toBe('passed');
    expect(of({ meanScore: null })).toBe('not_done');
  });
});

describe('the guard', () => {
  const deployedAt = instant('2001-04-29T02:00:00Z');
  const at = (days: number): Micros => (deployedAt + days * DAY) as Micros;
  const look = (over: Partial<GuardLook> = {}): GuardLook => ({
    at: at(2),
    deployedAt,
    champion: 1,
    challenger: 2,
    limits: { requests: 4000, forMicros: 2 * DAY },
    isOverridden: false,
    requests: 4200,
    errors: 0,
    former: { requests: 4000, errors: 0 },
    comparison: comparison(),
    early: null,
    why: null,
    ...over,
  });

  test('passes after both its requests and its time', () => {
    expect(judgeGuard(policy, look()).kind).toBe('promoted');
    const few = judgeGuard(policy, look({ requests: 3000 }));
    expect(few).toMatchObject({ kind: 'wait' });
    expect(few.reason).toContain('3,000 of 4,000 requests');
    const soon = judgeGuard(policy, look({ at: at(1) }));
    expect(soon.reason).toContain('1 day of 2 days');
  });

  test('waits for matured labels before it passes', () => {
    const verdict = judgeGuard(policy, look({ comparison: null }));
    expect(verdict).toMatchObject({ kind: 'wait' });
    expect(verdict.reason).toContain('0 requests with matured labels');
    const why = 'the requests follow another definition';
    expect(judgeGuard(policy, look({ comparison: null, why })).reason).toContain(why);
  });

  test('rolls back what is worse at the end, and what is clearly worse before', () => {
    const worse = comparison({ improvement: better(-0.05, -0.01) });
    expect(judgeGuard(policy, look({ comparison: worse })).kind).toBe('rolled_back');
    const soon = { at: at(1), requests: 100 };
    expect(judgeGuard(policy, look({ ...soon, comparison: worse })).kind).toBe('wait');
    expect(judgeGuard(policy, look({ ...soon, comparison: worse, early: worse })).kind).toBe(
      'rolled_back',
    );
  });

  test('watches on while a version seems worse, and keeps what does not', () => {
    const worse = comparison({ improvement: { ...better(-0.02, 0.01)!, value: -0.005 } });
    const verdict = judgeGuard(policy, look({ comparison: worse }));
    expect(verdict).toMatchObject({ kind: 'wait' });
    expect(verdict.reason).toContain('worse by 0.005');
    expect(judgeGuard(policy, look({ at: at(8), comparison: worse })).kind).toBe('rolled_back');
    const same = comparison({ improvement: better(-0.01, 0.01) });
    expect(judgeGuard(policy, look({ comparison: same })).kind).toBe('promoted');
  });

  test('gives a version that the gate had rejected no more time', () => {
    const worse = comparison({ improvement: { ...better(-0.02, 0.01)!, value: -0.005 } });
    const verdict = judgeGuard(policy, look({ comparison: worse, isOverridden: true }));
    expect(verdict.kind).toBe('rolled_back');
    expect(verdict.reason).toContain('as the gate had found');
  });

  test('rolls back requests that fail and scores that are not there', () => {
    const errors = judgeGuard(policy, look({ at: at(0.25), requests: 500, errors: 25 }));
    expect(errors.reason).toContain('5 % of 500 requests failed');
    const figures = comparison().challenger;
    const missing = comparison({ challenger: { ...figures, missing: 512 } });
    const verdict = judgeGuard(policy, look({ at: at(0.25), comparison: missing }));
    expect(verdict.reason).toContain('no score for 10 % of 5,120');
  });

  test('gives up what cannot be proven', () => {
    expect(judgeGuard(policy, look({ at: at(7.9), requests: 3000 })).kind).toBe('wait');
    const never = judgeGuard(policy, look({ at: at(8), requests: 3000 }));
    expect(never.kind).toBe('rolled_back');
    expect(never.reason).toContain('not proven after 8 days');
  });
});
