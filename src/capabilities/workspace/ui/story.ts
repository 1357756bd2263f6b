import { chartTime, DAY_MS } from '../../../web/kit/day-axis.ts';
import type { Decision } from '../../loop/contract.ts';
import type { Check, Evaluation, FixedHistory } from '../../monitoring/contract.ts';
import type { TrafficHistory } from '../../predictions/contract.ts';
import type { RouteRevision } from '../../serving/contract.ts';

/** Requests of one version in one stretch of domain time; times in milliseconds since 1970. */
export interface StoryTraffic {
  readonly start: number;
  readonly end: number;
  readonly version: number;
  readonly requests: number;
  readonly errors: number;
}

/** The quality of one version, as one evaluation found it. */
export interface StoryQuality {
  readonly at: number;
  readonly version: number;
  readonly metric: string;
  readonly value: number;
  /** Two-sided bounds at 95 %. */
  readonly lower: number;
  readonly upper: number;
  readonly isAlarm: boolean;
  readonly evaluation: string;
}

/** What a version that was held fixed would have scored, beside what was served. */
export interface StoryStayed {
  readonly version: number;
  readonly metric: string;
  readonly points: readonly {
    /** When an evaluation counts the same days for the first time. */
    readonly at: number;
    /** Its days. */
    readonly from: number;
    readonly until: number;
    readonly fixed: number;
    readonly served: number;
    readonly better: number;
    readonly lower: number;
    readonly upper: number;
  }[];
}

/** The rows that decisions are drawn in, from the top. */
export const LANES = ['trigger', 'gate', 'route', 'held back'] as const;
export type Lane = (typeof LANES)[number];

export interface StoryDecision {
  readonly at: number;
  readonly lane: Lane;
  readonly what: string;
  readonly reason: string;
  readonly actor: string;
  readonly tone: 'good' | 'bad' | 'plain';
  /** What it is: a decision of the loop, or a change of the route by somebody else. */
  readonly of:
    | { readonly loop: string; readonly decision: number }
    | { readonly endpoint: string; readonly revision: number };
}

export interface Story {
  readonly from: number;
  readonly until: number;
  /** Every version that is told of. */
  readonly versions: readonly number[];
  readonly traffic: readonly StoryTraffic[];
  readonly quality: readonly StoryQuality[];
  readonly stayed: StoryStayed | null;
  /** Oldest first. */
  readonly decisions: readonly StoryDecision[];
}

interface StoryParts {
  /** Of the endpoint's monitor, with their checks of quality; empty without a monitor. */
  readonly evaluations: readonly Evaluation[];
  /** Length of what an evaluation counts requests of. */
  readonly everyMs: number;
  /** Where there is no monitor. */
  readonly history: TrafficHistory | null;
  readonly fixed: FixedHistory | null;
  readonly decisions: readonly Decision[];
  readonly revisions: readonly RouteRevision[];
  /** Domain time, in milliseconds since 1970. */
  readonly until: number;
}

/** What happened to an endpoint, on one axis of domain time. */
export function storyOf(parts: StoryParts): Story {
  const { evaluations, everyMs, history } = parts;
  const traffic =
    history === null
      ? evaluations.flatMap((one) => evaluatedTraffic(one, everyMs))
      : history.items.map((item) => pastTraffic(item, history.seconds * 1000));
  const quality = evaluations.flatMap(qualityOf).toSorted((a, b) => a.at - b.at);
  const decisions = [
    ...parts.decisions.flatMap(decided),
    ...parts.revisions.filter(({ actor }) => actor !== LOOP_ACTOR).map(rerouted),
  ].toSorted((a, b) => a.at - b.at);
  const times = [
    ...traffic.map(({ start }) => start),
    ...quality.map(({ at }) => at),
    ...decisions.map(({ at }) => at),
  ];
  const until = Math.max(parts.until, ...times);
  return {
    from: Math.min(until - DAYS_LEAST * DAY_MS, ...times),
    until,
    versions: [...new Set([...traffic, ...quality].map(({ version }) => version))].toSorted(
      (a, b) => a - b,
    ),
    traffic: traffic.toSorted((a, b) => a.start - b.start),
    quality,
    stayed: parts.fixed === null ? null : stayedOf(parts.fixed, everyMs),
    decisions,
  };
}

function stayedOf(of: FixedHistory, everyMs: number): StoryStayed {
  const { version, metric, days } = of;
  return {
    version,
    metric,
    points: days.flatMap(({ until, matureAt, window }) => {
      if (window === null) return [];
      const { fixed, served, better, lower, upper } = window;
      const at = Math.ceil(chartTime(matureAt) / everyMs) * everyMs;
      const end = chartTime(until);
      const from = end - of.windowDays * DAY_MS;
      return [{ at, from, until: end, fixed, served, better, lower, upper }];
    }),
  };
}

/** Fewer days than these are no time to look at. */
const DAYS_LEAST = 7;

/** Who the loop publishes routes as. */
const LOOP_ACTOR = 'loop';

function evaluatedTraffic({ at, versions }: Evaluation, everyMs: number): readonly StoryTraffic[] {
  const end = chartTime(at);
  return versions
    .filter(({ requests }) => requests > 0)
    .map(({ version, requests, errors }) => ({
      start: end - everyMs,
      end,
      version,
      requests,
      errors,
    }));
}

function pastTraffic(
  { from, modelVersion, requests, errors }: TrafficHistory['items'][number],
  lengthMs: number,
): StoryTraffic {
  const start = chartTime(from);
  return { start, end: start + lengthMs, version: modelVersion, requests, errors };
}

/**
 * An evaluation bounds the loss against the version's first weeks; as much lies around the value.
 */
function qualityOf(evaluation: Evaluation): readonly StoryQuality[] {
  return evaluation.checks.flatMap((check) => {
    const { version, value, lower, upper } = check;
    if (check.kind !== 'quality' || version === null || value === null) return [];
    const reach = lower === null || upper === null ? 0 : (upper - lower) / 2;
    return [
      {
        at: chartTime(evaluation.at),
        version,
        metric: check.subject,
        value,
        lower: value - reach,
        upper: value + reach,
        isAlarm: isAlarm(check),
        evaluation: evaluation.id,
      },
    ];
  });
}

/** Versions that answered anything, the first one first. */
export function versionsIn(evaluations: readonly Evaluation[]): readonly number[] {
  const oldest = evaluations.toSorted((a, b) => chartTime(a.at) - chartTime(b.at));
  const answered = oldest.flatMap(({ versions }) =>
    versions.filter(({ requests }) => requests > 0),
  );
  return [...new Set(answered.map(({ version }) => version))];
}

export function isAlarm({ state }: Check): boolean {
  return state === 'alert' || state === 'warn';
}

const DECIDED: Readonly<Record<Decision['kind'], readonly [Lane, StoryDecision['tone']]>> = {
  admitted: ['trigger', 'plain'],
  joined: ['trigger', 'plain'],
  challenged: ['trigger', 'plain'],
  trained: ['trigger', 'plain'],
  failed: ['trigger', 'bad'],
  gate_passed: ['gate', 'good'],
  rejected: ['gate', 'bad'],
  overridden: ['gate', 'bad'],
  held: ['gate', 'plain'],
  approved: ['gate', 'good'],
  deployed: ['route', 'plain'],
  promoted: ['route', 'good'],
  rolled_back: ['route', 'bad'],
  superseded: ['route', 'bad'],
  suppressed: ['held back', 'plain'],
  stopped: ['held back', 'bad'],
  resumed: ['held back', 'good'],
  excluded: ['held back', 'plain'],
  exclusion_ended: ['held back', 'plain'],
};

function decided(decision: Decision): readonly StoryDecision[] {
  const { id, loop, at, kind, actor, reason } = decision;
  const [lane, tone] = DECIDED[kind];
  const what = kind.replaceAll('_', ' ');
  return [{ at: chartTime(at), lane, what, reason, actor, tone, of: { loop, decision: id } }];
}

function rerouted(route: RouteRevision): StoryDecision {
  const { endpoint, revision, now, actor, reason, restores, isDrill } = route;
  const back = isDrill ? 'drill' : 'rolled back';
  return {
    at: chartTime(now),
    lane: 'route',
    what: `${restores === null ? 'route changed' : back} (revision ${revision})`,
    reason,
    actor,
    tone: restores === null || isDrill ? 'plain' : 'bad',
    of: { endpoint, revision },
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS };

/** `6h` or `1d` in milliseconds. */
export function spanMs(text: string): number {
  return Number.parseInt(text, 10) * (UNIT_MS[text.slice(-1)] ?? DAY_MS);
}
