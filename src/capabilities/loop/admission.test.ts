import { describe, expect, test } from 'vitest';
import { micros, parseInstant, type Micros } from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import { admit, type Situation } from './admission.ts';
import { LoopSpec } from './contract.ts';
import { pastOf, type EndedInstance } from './cooldown.ts';
import { follow, type Episodes } from './episodes.ts';
import { evaluationSpan } from './evaluation-span.ts';
import {
  causesOf,
  incidentsOf,
  NO_QUALITY,
  qualityAfter,
  type CauseFacts,
  type EvaluationFacts,
  type Finding,
} from './findings.ts';
import { compilePolicy, type LoopPolicy } from './loop-policy.ts';

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const at = instant('2001-04-29T00:00:00Z');

function instant(text: string): Micros {
  return present(parseInstant(text), text);
}

function policyOf(spec: object = {}): LoopPolicy {
  const whole = { pipeline: 'train', triggers: ['quality', 'drift'], autonomy: 'full', ...spec };
  return compilePolicy('late', LoopSpec.parse(whole));
}

const CONFIRMED = { wanted: null, isBroken: true, isConfirmed: true };

const QUALITY: CauseFacts = {
  kind: 'quality',
  says: 'AUC 0.700 [0.680, 0.720], was 0.750',
  doubt: null,
};
const DRIFT: CauseFacts = { kind: 'drift', says: 'origin moved', doubt: null };
const MANUAL: CauseFacts = { kind: 'manual', says: 'support tickets', doubt: null };

function situation(over: Partial<Situation> = {}): Situation {
  return {
    at,
    causes: [QUALITY],
    release: {
      model: 'late',
      version: 1,
      revision: 1,
      by: 'ann',
      since: instant('2001-03-01T00:00:00Z'),
    },
    stopped: null,
    open: null,
    past: { cooldownUntil: null, failures: 0, retrains: 0 },
    maturedRows: 50_000,
    evaluation: evaluationSpan({ at, matureMicros: 12 * HOUR, holdoutDays: 3 }),
    exclusions: [],
    incidents: [],
    ...over,
  };
}

function finding(over: Partial<Finding>): Finding {
  const empty = { subject: '*', version: null, since: null, until: null, numbers: {} };
  const isBreach = over.state === undefined || over.state === 'alert';
  return { kind: 'quality', state: 'alert', isBreach, explanation: '', ...empty, ...over };
}

describe('the evaluation span', () => {
  test('is the newest whole days whose labels have matured', () => {
    const span = evaluationSpan({ at, matureMicros: 12 * HOUR, holdoutDays: 3 });
    expect(span).toEqual({
      from: instant('2001-04-25T00:00:00Z'),
      until: instant('2001-04-28T00:00:00Z'),
    });
    const noon = micros(at + 12 * HOUR);
    expect(evaluationSpan({ at: noon, matureMicros: 12 * HOUR, holdoutDays: 3 }).until).toBe(at);
  });
});

describe('an admission', () => {
  test('says what for, with its numbers', () => {
    expect(admit(policyOf(), situation())).toEqual({
      kind: 'admitted',
      reason:
        'AUC 0.700 [0.680, 0.720], was 0.750: retrains; the gate will judge on 2001-04-25 to 2001-04-28.',
    });
  });

  test('of two triggers at once is one, with both causes', () => {
    const both = admit(policyOf(), situation({ causes: [QUALITY, DRIFT] }));
    expect(both?.kind).toBe('admitted');
    expect(both?.reason).toContain('was 0.750; origin moved');
  });

  test('of a cause while an instance is under way joins it, once', () => {
    const open = { id: 'loop_1', state: 'training' as const, startedAt: at };
    const joined = admit(
      policyOf(),
      situation({ causes: [QUALITY, DRIFT], open: { ...open, causes: ['quality'] } }),
    );
    expect(joined).toMatchObject({ kind: 'joined', joining: [DRIFT] });
    const again = situation({
      causes: [QUALITY, DRIFT],
      open: { ...open, causes: ['quality', 'drift'] },
    });
    expect(admit(policyOf(), again)).toBeNull();
  });

  test('needs a cause', () => {
    expect(admit(policyOf(), situation({ causes: [] }))).toBeNull();
  });

  const window = {
    from: instant('2001-04-26T06:00:00Z'),
    until: null,
    reason: 'distance ×1.61',
  };
  const incident = finding({
    kind: 'label_silence',
    explanation: 'No landing for 9 h, 20 min is usual.',
  });
  test.each<[string, Partial<Situation>, object]>([
    ['no_champion', { release: null }, {}],
    ['stopped', { stopped: { by: 'ann', reason: 'audit', until: null } }, {}],
    [
      'frozen',
      { stopped: { by: 'ann', reason: 'audit', until: instant('2001-05-02T00:00:00Z') } },
      {},
    ],
    ['incident', { incidents: [incident] }, {}],
    ['exclusion', { exclusions: [window] }, {}],
    ['drift_alone', { causes: [{ ...DRIFT, doubt: 'quality did not' }] }, {}],
    ['breaker', { past: { cooldownUntil: null, failures: 3, retrains: 3 } }, {}],
    ['cooldown', { past: { cooldownUntil: micros(at + DAY), failures: 0, retrains: 1 } }, {}],
    ['budget', { past: { cooldownUntil: null, failures: 0, retrains: 8 } }, {}],
    ['rows', { maturedRows: 2114 }, { min_rows: 5000 }],
    ['autonomy', {}, { autonomy: 'observe' }],
    ['autonomy', {}, { autonomy: 'recommend' }],
  ])('is refused by %s', (by, over, spec) => {
    const answer = admit(policyOf(spec), situation(over));
    expect(answer).toMatchObject({ kind: 'suppressed', by });
    expect(answer?.reason).toMatch(/; no retrain: .+\.$/);
  });

  test('says the rows that are missing', () => {
    const few = admit(policyOf({ min_rows: 5000 }), situation({ maturedRows: 2114 }));
    expect(few?.reason).toContain('only 2,114 requests have matured labels');
    expect(few?.reason).toContain('5,000 needed');
  });

  test('by a person goes past cooldown, budget, breaker and dial, and says so', () => {
    const past = { cooldownUntil: micros(at + DAY), failures: 3, retrains: 9 };
    const asked = admit(policyOf({ autonomy: 'observe' }), situation({ causes: [MANUAL], past }));
    expect(asked?.kind).toBe('admitted');
    expect(asked?.reason).toContain('in spite of this: 3 instances in a row');
    const held = situation({ causes: [MANUAL], stopped: { by: 'ann', reason: 'x', until: null } });
    expect(admit(policyOf(), held)).toMatchObject({ kind: 'suppressed', by: 'stopped' });
  });
});

describe('causes', () => {
  const release = {
    model: 'late',
    version: 2,
    revision: 2,
    by: 'loop',
    since: instant('2001-03-01T00:00:00Z'),
  };
  const causes = (findings: readonly Finding[], spec: object = {}, maturedRows = 0) => {
    const evaluation: EvaluationFacts = { id: 'eval_1', at, findings };
    return causesOf(policyOf(spec), { at, evaluation, release, maturedRows, quality: CONFIRMED });
  };

  test('are of the version that answers', () => {
    expect(causes([finding({ version: 1, explanation: 'old' })])).toEqual([]);
    expect(causes([finding({ version: 2, explanation: 'AUC fell.' })])).toEqual([
      { kind: 'quality', says: 'AUC fell', doubt: null },
    ]);
  });

  test('doubt inputs that moved while quality or scores did not', () => {
    const moved = finding({ kind: 'drift', subject: 'origin' });
    const fine = finding({ state: 'ok', explanation: 'AUC 0.75 [0.74, 0.76].' });
    const scores = finding({ kind: 'score_drift' });
    expect(causes([moved])[0]?.doubt).toContain('scores are distributed as before');
    expect(causes([moved, scores])[0]?.doubt).toBeNull();
    expect(causes([moved, scores, fine])[0]?.doubt).toBe(
      'inputs moved, quality did not: AUC 0.75 [0.74, 0.76]',
    );
    const few = finding({ state: 'too_few_labels' });
    expect(causes([moved, scores, few])[0]?.doubt).toBeNull();
  });

  test('are a quality that fell twice running, and one that no repair brought back', () => {
    const numbers = { value: 0.7, reference: 0.75, threshold: 0.02 };
    const alert = finding({ version: 2, explanation: 'AUC fell.', numbers });
    const evaluation = { id: 'eval_1', at, findings: [alert] };
    const facts = { at, evaluation, release, maturedRows: 0 };
    const once = qualityAfter(NO_QUALITY, evaluation, 2);
    expect(once).toEqual({ wanted: null, isBroken: true, isConfirmed: false });
    expect(causesOf(policyOf(), { ...facts, quality: once })).toEqual([]);
    const receding = { ...evaluation, findings: [{ ...alert, isBreach: false }] };
    expect(qualityAfter(once, receding, 2)).toEqual(NO_QUALITY);
    const twice = qualityAfter(once, evaluation, 2);
    expect(twice.wanted).toEqual({ value: 0.75, margin: 0.02, isHigherBetter: true });
    expect(causesOf(policyOf(), { ...facts, quality: twice })[0]?.says).toBe('AUC fell');

    const half = finding({
      version: 2,
      state: 'ok',
      explanation: 'AUC 0.72.',
      numbers: { value: 0.72 },
    });
    const after = { ...evaluation, findings: [half] };
    const still = qualityAfter(twice, after, 2);
    expect(causesOf(policyOf(), { ...facts, evaluation: after, quality: still })[0]?.says).toBe(
      'AUC 0.72; it was 0.750 before it fell and is not back',
    );
    const back = { ...evaluation, findings: [{ ...half, numbers: { value: 0.74 } }] };
    const healed = qualityAfter(still, back, 2);
    expect(healed).toEqual(NO_QUALITY);
    expect(causesOf(policyOf(), { ...facts, evaluation: back, quality: healed })).toEqual([]);
  });

  test('are age and new rows where they are declared', () => {
    const spec = { triggers: [{ age: '59d' }, { new_rows: 1000 }] };
    const found = causes([finding({ version: 2 })], spec, 1000);
    expect(found.map(({ kind }) => kind)).toEqual(['age', 'new_rows']);
    expect(causes([], { triggers: [{ age: '60d' }, { new_rows: 1001 }] }, 1000)).toEqual([]);
  });
});

describe('incidents', () => {
  test('are broken data, and missing values only while they are new', () => {
    const missing = (daysAgo: number) =>
      finding({ kind: 'missing', since: micros(at - daysAgo * DAY) });
    const of = (...findings: Finding[]) => incidentsOf({ id: 'eval_1', at, findings }).length;
    expect(of(finding({ kind: 'unit_change' }), finding({ kind: 'label_silence' }))).toBe(2);
    expect([of(missing(6)), of(missing(7))]).toEqual([1, 0]);
    expect(of(finding({ kind: 'range' }), finding({ kind: 'missing', state: 'warn' }))).toBe(0);
  });
});

describe('the past', () => {
  const policy = policyOf({ cooldown: '7d', budget: { retrains: 2, per: '30d' } });
  const ended = (
    outcome: EndedInstance['outcome'],
    daysAgo: number,
    over: Partial<EndedInstance> = {},
  ): EndedInstance => ({
    id: `loop_${daysAgo}`,
    outcome,
    startedAt: micros(at - daysAgo * DAY),
    endedAt: micros(at - daysAgo * DAY),
    isManual: false,
    isTraining: true,
    ...over,
  });

  test('cools down once after a promotion, and twice as long with each failure', () => {
    const until = (list: readonly EndedInstance[]) => {
      const { cooldownUntil } = pastOf(policy, at, list, null);
      return cooldownUntil === null ? null : (cooldownUntil - at) / DAY;
    };
    expect(until([])).toBeNull();
    expect(until([ended('promoted', 1)])).toBe(6);
    expect(until([ended('promoted', 7)])).toBeNull();
    expect(until([ended('rejected', 1), ended('promoted', 20)])).toBe(6);
    expect(until([ended('rolled_back', 1), ended('rejected', 9)])).toBe(13);
    expect(until([ended('failed', 1), ended('rejected', 20), ended('rejected', 30)])).toBe(27);
  });

  test('forgives failures that a person began, or has looked at', () => {
    const list = [ended('rejected', 1), ended('rejected', 2), ended('rejected', 3)];
    expect(pastOf(policy, at, list, null).failures).toBe(3);
    expect(pastOf(policy, at, list, micros(at - 1.5 * DAY)).failures).toBe(1);
    const manual = list.map((one) => ({ ...one, isManual: true }));
    expect(pastOf(policy, at, manual, null)).toMatchObject({ failures: 0, cooldownUntil: null });
  });

  test('counts trainings within the span of the budget', () => {
    const list = [ended('rejected', 3), ended('promoted', 29), ended('rejected', 31)];
    expect(pastOf(policy, at, list, null).retrains).toBe(2);
    const challenge = ended('rejected', 1, { isTraining: false });
    expect(pastOf(policy, at, [challenge], null).retrains).toBe(0);
  });
});

describe('an episode', () => {
  test('gives each reason for doing nothing once', () => {
    const said: string[] = [];
    let episodes: Episodes = {};
    const day = (number: number, reason: string) => {
      const look = { at: micros(at + number * DAY), causes: ['quality' as const], reason };
      const next = follow(episodes, look);
      episodes = next.episodes;
      if (next.isNews) said.push(`${number} ${reason}`);
    };
    for (const number of [0, 1, 2, 5]) day(number, 'cooldown');
    day(6, 'rows');
    day(7, 'cooldown');
    expect(said).toEqual(['0 cooldown', '6 rows']);
    day(11, 'cooldown');
    expect(said.at(-1)).toBe('11 cooldown');
  });

  test('of one cause does not silence another', () => {
    const first = follow({}, { at, causes: ['quality'], reason: 'cooldown' });
    const both = { at, causes: ['quality', 'drift'] as const, reason: 'cooldown' };
    expect(follow(first.episodes, both).isNews).toBe(true);
  });
});
