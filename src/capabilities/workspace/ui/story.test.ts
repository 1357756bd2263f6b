import { describe, expect, it } from 'vitest';
import type { Decision } from '../../loop/contract.ts';
import type { Check, Evaluation, FixedHistory } from '../../monitoring/contract.ts';
import type { RouteRevision } from '../../serving/contract.ts';
import { stayedText } from './stayed-text.ts';
import { spanMs, storyOf, versionsIn } from './story.ts';
import { behindPoint } from './story-option.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2001, 2, 10, 12);
const at = (day: number): string => `2001-03-0${day}T00:00:00Z`;

const QUALITY: Check = {
  kind: 'quality',
  subject: 'auc',
  version: 2,
  state: 'ok',
  isBreach: false,
  value: 0.75,
  lower: -0.01,
  upper: 0.03,
  reference: 0.76,
  threshold: 0.02,
  rows: 100,
  days: 7,
  since: null,
  until: null,
  explanation: 'fine',
};

function evaluation(day: number, checks: readonly Check[] = []): Evaluation {
  const version = { model: 'late', version: 2, requests: 100, errors: 1, p50Us: 1, p99Us: 2 };
  return {
    id: `eval_${day}`,
    monitor: 'late',
    at: at(day),
    versions: [version, { ...version, version: 1, requests: 0 }],
    checks: [...checks],
    state: 'ok',
    seconds: 1,
  };
}

function decision(kind: Decision['kind'], day: number): Decision {
  const when = at(day);
  const who = { loop: 'late', instance: null, actor: 'loop', policy: '' };
  return { id: day, ...who, at: when, wall: when, kind, reason: 'because', inputs: {} };
}

function revision(number: number, more: Partial<RouteRevision> = {}): RouteRevision {
  return {
    id: `rt_${number}`,
    endpoint: 'late',
    revision: number,
    arms: [],
    salt: '',
    actor: 'ana',
    reason: 'by hand',
    restores: null,
    isDrill: false,
    features: null,
    evidence: [],
    now: at(number),
    wall: at(number),
    hash: '',
    ...more,
  };
}

const NOTHING = {
  evaluations: [],
  everyMs: DAY,
  history: null,
  fixed: null,
  decisions: [],
  revisions: [],
};

const WINDOW = { fixed: 0.7, served: 0.72, better: 0.02, lower: 0.01, upper: 0.03 };
const FIXED: FixedHistory = {
  monitor: 'late',
  model: 'late',
  version: 1,
  metric: 'auc',
  windowDays: 7,
  from: at(1),
  until: at(9),
  matureUntil: at(9),
  waiting: 0,
  leftOut: { unlabelled: 0, otherDefinition: 3, unscored: 0 },
  whole: { ...WINDOW, days: 2, rows: 200 },
  days: [
    {
      from: at(1),
      until: at(2),
      matureAt: '2001-03-02T12:00:00Z',
      rows: 100,
      isWhole: true,
      window: null,
    },
    {
      from: at(2),
      until: at(3),
      matureAt: '2001-03-03T12:00:00Z',
      rows: 100,
      isWhole: true,
      window: { ...WINDOW, days: 7, rows: 700 },
    },
  ],
};

describe('the story of an endpoint', () => {
  it('counts the requests of an evaluation in the stretch before it', () => {
    const { traffic, versions, from } = storyOf({
      ...NOTHING,
      evaluations: [evaluation(4), evaluation(3)],
      until: NOW,
    });
    const counts = { version: 2, requests: 100, errors: 1 };
    expect(traffic).toEqual([
      { start: Date.UTC(2001, 2, 2), end: Date.UTC(2001, 2, 3), ...counts },
      { start: Date.UTC(2001, 2, 3), end: Date.UTC(2001, 2, 4), ...counts },
    ]);
    expect(versions).toEqual([2]);
    expect(from).toBe(Date.UTC(2001, 2, 2));
  });

  it('puts the bounds of the loss around the quality itself', () => {
    const alarm = { ...QUALITY, state: 'warn' as const };
    const unsaid = { ...QUALITY, value: null, state: 'too_few_labels' as const };
    const evaluations = [evaluation(4, [alarm]), evaluation(3, [unsaid])];
    const { quality } = storyOf({ ...NOTHING, evaluations, until: NOW });
    expect(quality.length).toBe(1);
    expect(quality[0]).toMatchObject({ version: 2, metric: 'auc', value: 0.75, isAlarm: true });
    expect(quality[0]?.lower).toBeCloseTo(0.73);
    expect(quality[0]?.upper).toBeCloseTo(0.77);
  });

  it('puts what a fixed version would have scored where evaluations count the same days', () => {
    const story = storyOf({ ...NOTHING, fixed: FIXED, until: NOW });
    const from = Date.UTC(2001, 1, 24);
    const day = { at: Date.UTC(2001, 2, 4), from, until: Date.UTC(2001, 2, 3) };
    expect(story.stayed?.points).toEqual([{ ...day, ...WINDOW }]);
    const point = { series: 'v1, had it stayed', seriesIndex: 0, index: 0 };
    expect(behindPoint(story, point).stayed).toMatchObject(day);
  });

  it('says whether what was served was better, and what is not compared', () => {
    expect(stayedText(FIXED)).toMatch(
      /auc 0\.7, against 0\.72 .*200 labelled requests of 2 days.*\+0\.02 \(95 %: \+0\.01 to \+0\.03.*better than chance.*Left out: 3 of another feature definition\.$/,
    );
    const { whole } = FIXED;
    const chance = { ...FIXED, whole: { ...whole!, lower: -0.01 } };
    expect(stayedText(chance)).toContain('no more than chance explains');
    expect(stayedText({ ...FIXED, waiting: 5 })).toContain('2 days done, 5 to go');
    expect(stayedText({ ...FIXED, matureUntil: null })).toContain('Without a declared label');
  });

  it('names the first version that answered first', () => {
    const later = evaluation(5);
    const versions = later.versions.map((one) => ({ ...one, requests: 10 }));
    expect(versionsIn([{ ...later, versions }, evaluation(3)])).toEqual([2, 1]);
  });

  it('takes its traffic from the log where no monitor counts', () => {
    const item = { arm: 'blue', requests: 7, errors: 0, p50Us: 1, p99Us: 1 };
    const history = {
      endpoint: 'late',
      from: at(1),
      until: at(5),
      seconds: 86_400,
      items: [{ ...item, from: at(2), modelVersion: 3 }],
      isCut: false,
    };
    const { traffic } = storyOf({ ...NOTHING, history, until: NOW });
    expect(traffic).toMatchObject([{ start: Date.UTC(2001, 2, 2), version: 3, requests: 7 }]);
  });

  it('tells routes that a loop published by its decisions, and others by themselves', () => {
    const { decisions } = storyOf({
      ...NOTHING,
      decisions: [decision('rolled_back', 3), decision('suppressed', 1)],
      revisions: [
        revision(4, { isDrill: true, restores: 2 }),
        revision(3, { actor: 'loop', restores: 1 }),
        revision(2, { restores: 1 }),
      ],
      until: NOW,
    });
    expect(decisions.map(({ lane, what, tone }) => [lane, what, tone])).toEqual([
      ['held back', 'suppressed', 'plain'],
      ['route', 'rolled back (revision 2)', 'bad'],
      ['route', 'rolled back', 'bad'],
      ['route', 'drill (revision 4)', 'plain'],
    ]);
  });

  it('is a week long before anything happened', () => {
    const { from, until } = storyOf({ ...NOTHING, until: NOW });
    expect([from, until]).toEqual([NOW - 7 * DAY, NOW]);
  });
});

it('reads how often a monitor looks', () => {
  expect(['6h', '1d', '7d'].map(spanMs)).toEqual([DAY / 4, DAY, 7 * DAY]);
});

it('knows what is behind each point that is drawn', () => {
  const item = { arm: 'blue', requests: 7, errors: 0, p50Us: 1, p99Us: 1 };
  const items = [
    { ...item, from: at(2), modelVersion: 1 },
    { ...item, from: at(3), modelVersion: 2 },
  ];
  const history = {
    endpoint: 'late',
    from: at(1),
    until: at(5),
    seconds: 86_400,
    items,
    isCut: false,
  };
  const story = {
    ...storyOf({ ...NOTHING, history, decisions: [decision('admitted', 3)], until: NOW }),
    quality: storyOf({ ...NOTHING, evaluations: [evaluation(4, [QUALITY])], until: NOW }).quality,
  };
  const behind = (series: string, seriesIndex: number, index: number) =>
    behindPoint(story, { series, seriesIndex, index });
  expect(behind('v2', 1, 1)).toMatchObject({
    traffic: { version: 2, start: Date.UTC(2001, 2, 3) },
  });
  expect(behind('v2', 1, 0).traffic).toBeUndefined();
  expect(behind('v2', 4, 0)).toMatchObject({ quality: { evaluation: 'eval_4' } });
  expect(behind('decisions', 5, 0)).toMatchObject({ decision: { of: { decision: 3 } } });
});
