import type {
  Decision,
  GuardProgress,
  Instance,
  Loop,
} from '../../src/capabilities/loop/contract.ts';
import type { MaturityDetail } from '../../src/capabilities/maturity/contract.ts';
import {
  MonitorSpec,
  type Check,
  type Evaluation,
  type FixedHistory,
  type Monitor,
} from '../../src/capabilities/monitoring/contract.ts';
import { LoopSpec } from '../../src/capabilities/loop/contract.ts';
import type { PastTraffic } from '../../src/capabilities/predictions/contract.ts';
import { at, hex, WALL_SECOND } from './fixture-values.ts';

/** What happened over weeks of domain time, to the first endpoint. */
export interface StoryFixture {
  /** By endpoint, oldest first. */
  readonly past: Readonly<Record<string, readonly PastTraffic[]>>;
  readonly monitors: readonly Monitor[];
  /** Newest first, with all checks. */
  readonly evaluations: readonly Evaluation[];
  /** What any version would have scored, had it stayed. */
  readonly fixed: FixedHistory | null;
  readonly loops: readonly Loop[];
  /** How far the rollout of the loop is, where one is under way. */
  readonly guard: GuardProgress | null;
  /** Newest first. */
  readonly decisions: readonly Decision[];
  readonly maturity: readonly MaturityDetail[];
}

export const NO_STORY: StoryFixture = {
  past: {},
  monitors: [],
  evaluations: [],
  fixed: null,
  loops: [],
  guard: null,
  decisions: [],
  maturity: [],
};

const DAY = 86_400;
const DAYS = 60;

/** v1 wears off, v2 takes over after 35 days, v3 is tried on day 50 and taken back. */
export function storyOf(endpoint: string, endSecond = WALL_SECOND): StoryFixture {
  const today = Math.floor(endSecond / DAY) * DAY;
  const evaluations = Array.from({ length: DAYS }, (_, back) =>
    evaluation(endpoint, DAYS - back, today - back * DAY),
  );
  const decisions = decisionsOf(endpoint, today);
  return {
    past: { [endpoint]: pastOf(today) },
    monitors: [monitor(endpoint, evaluations[0]!)],
    evaluations,
    fixed: fixedOf(endpoint, today),
    loops: [loop(endpoint, decisions[0]!, today)],
    guard: null,
    decisions,
    maturity: [maturity(endpoint, today)],
  };
}

/** Versions and their arms on a day; day 0 is the first one. */
function servedOn(day: number): readonly (readonly [version: number, arm: string])[] {
  if (day < 35) return [[1, 'blue']];
  if (day === 35) return [[1, 'blue'], [2, 'green']]; // prettier-ignore
  if (day === 50) return [[2, 'green'], [3, 'blue']]; // prettier-ignore
  return [[2, 'green']];
}

function requestsOn(day: number): number {
  return Math.round(2100 + 380 * Math.sin((day * 2 * Math.PI) / 7) + ((day * 53) % 90));
}

function pastOf(today: number): readonly PastTraffic[] {
  return Array.from({ length: DAYS + 1 }, (_, day) =>
    servedOn(day).map(([modelVersion, arm], index, all) => ({
      from: at(today - (DAYS - day) * DAY),
      arm,
      modelVersion,
      requests: Math.round(requestsOn(day) / all.length),
      errors: day === 41 ? 63 : (day * 7 + index) % 3,
      p50Us: 240 + 9 * modelVersion + (day % 4),
      p99Us: 900 + ((day * 131) % 400),
    })),
  ).flat();
}

function evaluation(endpoint: string, day: number, second: number): Evaluation {
  const versions = servedOn(day - 1).map(([version], _, all) => ({
    model: endpoint,
    version,
    requests: Math.round(requestsOn(day - 1) / all.length),
    errors: day === 42 ? 63 : day % 3,
    p50Us: 240,
    p99Us: 900 + ((day * 131) % 400),
  }));
  const checks = versions.map(({ version }) => quality(version, day));
  const missing = day === DAYS ? [missingValues(second)] : [];
  const state = missing.length > 0 ? 'alert' : (checks[0]?.state ?? 'ok');
  return {
    id: `eval_${hex(day, 32)}`,
    monitor: endpoint,
    at: at(second),
    versions,
    checks: [...checks, ...missing],
    state,
    seconds: 1.4,
  };
}

/** Until v2 takes over both are the same; then v1 goes on wearing off. */
function fixedOf(endpoint: string, today: number): FixedHistory {
  const days = Array.from({ length: DAYS - 1 }, (_, day) => {
    const from = today - (DAYS - day) * DAY;
    const fixed = 0.764 - Math.max(0, day - 18) * 0.0011 + 0.004 * Math.sin(day);
    const better = day < 36 ? 0 : (day - 36) * 0.0012;
    const bounds = { lower: better - (better && 0.006), upper: better + (better && 0.006) };
    const window = { fixed, served: fixed + better, better, ...bounds, days: 7, rows: 14_000 };
    return {
      from: at(from),
      until: at(from + DAY),
      matureAt: at(from + 1.5 * DAY),
      rows: 2000,
      isWhole: true,
      window: day < 6 ? null : window,
    };
  });
  return {
    monitor: endpoint,
    model: endpoint,
    version: 1,
    metric: 'auc',
    windowDays: 7,
    from: days[0]!.from,
    until: days.at(-1)!.until,
    matureUntil: days.at(-1)!.until,
    waiting: 0,
    leftOut: { unlabelled: 212, otherDefinition: 0, unscored: 0 },
    whole: {
      fixed: 0.7411,
      served: 0.7492,
      better: 0.0081,
      lower: 0.0034,
      upper: 0.0128,
      days: 59,
      rows: 118_000,
    },
    days,
  };
}

function quality(version: number, day: number): Check {
  const reference = version === 1 ? 0.764 : 0.758;
  const worn = version === 1 ? Math.max(0, day - 18) * 0.003 : 0;
  const value = reference - worn + 0.004 * Math.sin(day);
  const isFirst = (version === 1 && day < 14) || (version === 2 && day < 49) || version === 3;
  const isBreach = !isFirst && reference - value > 0.03;
  return {
    kind: 'quality',
    subject: 'auc',
    version,
    state: isFirst ? 'too_few_labels' : isBreach ? 'alert' : 'ok',
    isBreach,
    value: isFirst ? null : value,
    lower: isFirst ? null : reference - value - 0.011,
    upper: isFirst ? null : reference - value + 0.011,
    reference: isFirst ? null : reference,
    threshold: 0.02,
    rows: 14_000,
    days: 7,
    since: null,
    until: null,
    explanation: `auc ${value.toFixed(3)} over 7 days, ${reference} over its first 14 in traffic.`,
  };
}

function missingValues(second: number): Check {
  return {
    kind: 'missing',
    subject: 'origin_delays__late_2h',
    version: 2,
    state: 'alert',
    isBreach: true,
    value: 0.31,
    lower: null,
    upper: null,
    reference: 0.02,
    threshold: 0.05,
    rows: 2100,
    days: 1,
    since: at(second - DAY),
    until: null,
    explanation: 'origin_delays__late_2h is missing in 31 % of the requests, 2 % in training.',
  };
}

function monitor(name: string, latest: Evaluation): Monitor {
  const checks = latest.checks.filter(({ state }) => state !== 'ok');
  return {
    name,
    spec: MonitorSpec.parse({}),
    appliedAt: at(WALL_SECOND - DAYS * DAY),
    appliedBy: 'ana',
    next: at(WALL_SECOND + 14 * 3600),
    latest: { ...latest, checks },
  };
}

const DECIDED: readonly (readonly [day: number, kind: Decision['kind'], reason: string])[] = [
  [32, 'admitted', 'auc 0.722, was 0.764: retrains; the budget has 7 of 8 left.'],
  [33, 'trained', 'v2 was trained by stage train.'],
  [33, 'gate_passed', 'v2 beats v1 on 3 held-out days: log-loss −0.018, lower bound −0.009.'],
  [35, 'deployed', 'v2 takes the traffic of late (revision 2).'],
  [37, 'promoted', 'v2 stood its guard: 4,100 requests and 2 days.'],
  [42, 'suppressed', 'Inputs drifted alone, and quality is not shown to have dropped.'],
  [49, 'admitted', 'v2 has answered for 12 days: retrains.'],
  [50, 'deployed', 'v3 takes the traffic of late (revision 3).'],
  [50, 'rolled_back', 'v3 is worse than v2 by 0.03 at 99.9 %: v2 answers again.'],
];

function decisionsOf(name: string, today: number): readonly Decision[] {
  return DECIDED.map(([day, kind, reason], index) => ({
    id: index + 1,
    loop: name,
    instance: kind === 'suppressed' ? null : `li_${day < 40 ? 1 : 2}`,
    at: at(today - (DAYS - day) * DAY + 3600 * (index + 1)),
    wall: at(today - (DAYS - day) * DAY + 3600 * (index + 1)),
    kind,
    actor: 'loop',
    reason,
    inputs: { rows: 6000 },
    policy: hex(7, 64),
  })).toReversed();
}

function loop(name: string, lastDecision: Decision, today: number): Loop {
  return {
    name,
    endpoint: name,
    spec: LoopSpec.parse({ pipeline: 'train', triggers: ['quality', 'drift'] }),
    policy: hex(7, 64),
    stopped: null,
    breaker: { failures: 0, of: 3 },
    champion: { model: name, version: 2, since: at(today - 25 * DAY) },
    instance: null,
    cooldownUntil: null,
    retrains: { used: 2, of: 8, per: '30d' },
    lastDecision,
  };
}

/** The same story with v4 under guard for 30 hours. */
export function underGuard(story: StoryFixture): StoryFixture {
  const [loop] = story.loops;
  const second = Math.floor(WALL_SECOND / DAY) * DAY;
  const deployedAt = at(second - 1.25 * DAY);
  const versions = { model: loop!.endpoint, champion: 2, challenger: 4 };
  const instance: Instance = {
    id: 'li_4',
    loop: loop!.name,
    state: 'guarding',
    causes: [],
    actor: 'loop',
    startedAt: deployedAt,
    endedAt: null,
    ...versions,
    pipeline: 'train',
    pipelineRun: null,
    evaluation: { from: deployedAt, until: deployedAt },
    deployedAt,
    waitsFor: 'guarding: 2,114 of 4,000 requests, 1 day 6 h of 2 days',
    nextLook: at(second + 0.25 * DAY),
  };
  const guard: GuardProgress = {
    instance: instance.id,
    at: at(second),
    deployedAt,
    ...versions,
    answered: { requests: 2114, errors: 2 },
    seconds: 1.25 * DAY,
    wants: { requests: 4000, seconds: 2 * DAY },
    givesUpAt: at(second + 6.75 * DAY),
    isOverridden: false,
    nextLook: instance.nextLook!,
    metric: 'log_loss',
    look: {
      at: at(second),
      says: instance.waitsFor!,
      former: { requests: 2190, errors: 2 },
      improvement: {
        value: 0.0042,
        lower: -0.0121,
        upper: 0.0205,
        level: 0.95,
        rows: 1804,
        days: 2,
      },
      early: { upper: 0.0511, level: 0.999 },
    },
  };
  return { ...story, loops: [{ ...loop!, instance }], guard };
}

function maturity(endpoint: string, today: number): MaturityDetail {
  const next = {
    id: 'C8',
    level: 2,
    need: 'required' as const,
    title: 'a rollback was exercised and took at most 5 minutes',
    state: 'unknown' as const,
    why: 'The last one is 104 days ago; it counts for 90 days.',
    evidence: [{ kind: 'revision', id: `${endpoint}@3` }],
    fix: {
      says: 'Roll back once as a drill: it goes to the former revision and returns at once.',
      command: `millwright rollback ${endpoint} --drill`,
    },
    effort: 'minutes' as const,
  };
  const passed = {
    ...next,
    id: 'A1',
    level: 0,
    title: 'the run is tracked',
    state: 'pass' as const,
    why: 'run_1 has 4 parameters and 3 metrics.',
    evidence: [{ kind: 'run', id: 'run_1' }],
  };
  return {
    endpoint,
    model: endpoint,
    version: 2,
    at: at(today),
    level: 1,
    isSeen: true,
    levels: [
      { level: 0, passed: 5, required: 5, exercised: 6, checks: 6 },
      { level: 1, passed: 11, required: 11, exercised: 11, checks: 12 },
      { level: 2, passed: 9, required: 12, exercised: 9, checks: 14 },
      { level: 3, passed: 8, required: 11, exercised: 9, checks: 13 },
    ],
    next,
    checks: [passed, next],
  };
}
