import type { Micros } from '../../base/time.ts';
import type { CauseKind, InstanceState } from './contract.ts';
import { BREAKER_FAILURES, type Past } from './cooldown.ts';
import type { TimeSpan } from './evaluation-span.ts';
import type { CauseFacts, Finding, Release } from './findings.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { count, ended, list, moment, span } from './phrases.ts';

/** Everything the question "train now?" is answered from. */
export interface Situation {
  readonly at: Micros;
  readonly causes: readonly CauseFacts[];
  /** Null while nothing is deployed. */
  readonly release: Release | null;
  readonly stopped: {
    readonly by: string;
    readonly reason: string;
    readonly until: Micros | null;
  } | null;
  readonly open: {
    readonly id: string;
    readonly state: InstanceState;
    readonly startedAt: Micros;
    readonly causes: readonly CauseKind[];
  } | null;
  readonly past: Past;
  /** Requests with matured labels since the release took traffic. */
  readonly maturedRows: number;
  readonly evaluation: TimeSpan;
  /** Exclusion windows that touch the evaluation's days. */
  readonly exclusions: readonly {
    readonly from: Micros;
    readonly until: Micros | null;
    readonly reason: string;
  }[];
  /** Findings that say the data itself is broken. */
  readonly incidents: readonly Finding[];
}

/** Why a cause begins nothing. */
export type Suppression =
  | 'no_champion'
  | 'stopped'
  | 'frozen'
  | 'incident'
  | 'exclusion'
  | 'drift_alone'
  | 'breaker'
  | 'cooldown'
  | 'budget'
  | 'rows'
  | 'autonomy';

export type Admission =
  | { readonly kind: 'admitted'; readonly reason: string }
  | { readonly kind: 'joined'; readonly reason: string; readonly joining: readonly CauseFacts[] }
  | { readonly kind: 'suppressed'; readonly by: Suppression; readonly reason: string };

interface Obstacle {
  readonly by: Suppression;
  readonly says: string;
  /** A person who asks for it knows of it. */
  readonly yieldsToPerson: boolean;
}

/**
 * Whether the causes begin an instance. The first obstacle is the answer: they are ordered by how
 * much has to change before it goes away. Null without causes, or when nothing new joined.
 */
export function admit(policy: LoopPolicy, situation: Situation): Admission | null {
  const { causes, open } = situation;
  if (causes.length === 0) return null;
  const wanted = causes.map(({ says }) => says).join('; ');
  if (open !== null) {
    const joining = causes.filter(({ kind }) => !open.causes.includes(kind));
    if (joining.length === 0) return null;
    const what = joining.map(({ says }) => says).join('; ');
    const since = `the instance under way since ${moment(open.startedAt)}`;
    return { kind: 'joined', joining, reason: ended(`${what}: joins ${since} (${open.state})`) };
  }
  const isManual = causes.some(({ kind }) => kind === 'manual');
  const obstacles = obstaclesOf(policy, situation);
  const decisive = obstacles.find((one) => !(isManual && one.yieldsToPerson));
  if (decisive !== undefined) {
    const { by, says } = decisive;
    return { kind: 'suppressed', by, reason: ended(`${wanted}; no retrain: ${says}`) };
  }
  const inSpite = obstacles.map(({ says }) => says);
  const spite = inSpite.length === 0 ? '' : `, in spite of this: ${list(inSpite)}`;
  const { from, until } = situation.evaluation;
  const days = `the gate will judge on ${moment(from)} to ${moment(until)}`;
  return { kind: 'admitted', reason: ended(`${wanted}: retrains; ${days}${spite}`) };
}

/** All that stands against a training now, the decisive one first. */
export function obstaclesOf(policy: LoopPolicy, situation: Situation): readonly Obstacle[] {
  return [
    ...standing(situation),
    ...brokenData(situation),
    ...doubtful(situation),
    ...exhausted(policy, situation),
    ...tooFewRows(policy, situation),
    ...dial(policy),
  ];
}

function standing({ release, stopped }: Situation): readonly Obstacle[] {
  const found: Obstacle[] = [];
  if (release === null) {
    found.push({ by: 'no_champion', says: 'nothing is deployed yet', yieldsToPerson: false });
  }
  if (stopped !== null) {
    const { by, reason, until } = stopped;
    const says =
      until === null
        ? `stopped by ${by}: ${reason}`
        : `frozen until ${moment(until)} by ${by}: ${reason}`;
    found.push({ by: until === null ? 'stopped' : 'frozen', says, yieldsToPerson: false });
  }
  return found;
}

function brokenData({ incidents, exclusions }: Situation): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const [incident] = incidents;
  if (incident !== undefined) {
    const more = incidents.length > 1 ? ` (and ${incidents.length - 1} more)` : '';
    const says = `upstream incident, ${incident.explanation.replace(/\.$/, '')}${more}`;
    found.push({ by: 'incident', says, yieldsToPerson: false });
  }
  const [window] = exclusions;
  if (window !== undefined) {
    const end = window.until === null ? 'goes on' : `to ${moment(window.until)}`;
    const about = `${moment(window.from)}, ${end}: ${window.reason.replace(/\.$/, '')}`;
    const says = `the days of the gate touch an exclusion (from ${about})`;
    found.push({ by: 'exclusion', says, yieldsToPerson: false });
  }
  return found;
}

function doubtful({ causes }: Situation): readonly Obstacle[] {
  const doubts = causes.map(({ doubt }) => doubt).filter((doubt) => doubt !== null);
  if (doubts.length === 0 || doubts.length < causes.length) return [];
  return [{ by: 'drift_alone', says: list(doubts), yieldsToPerson: true }];
}

function exhausted(policy: LoopPolicy, { past }: Situation): readonly Obstacle[] {
  const found: Obstacle[] = [];
  if (past.failures >= BREAKER_FAILURES) {
    const says = `${past.failures} instances in a row did not end in a promotion; a person has to look and resume the loop`;
    found.push({ by: 'breaker', says, yieldsToPerson: true });
  }
  if (past.cooldownUntil !== null) {
    const after = past.failures === 0 ? '' : ` after ${past.failures} failed in a row`;
    const says = `cooling down${after} until ${moment(past.cooldownUntil)}`;
    found.push({ by: 'cooldown', says, yieldsToPerson: true });
  }
  const { retrains, perMicros } = policy.budget;
  if (past.retrains >= retrains) {
    const says = `the budget is used: ${past.retrains} of ${retrains} retrains in ${span(perMicros)}`;
    found.push({ by: 'budget', says, yieldsToPerson: true });
  }
  return found;
}

function tooFewRows(policy: LoopPolicy, { maturedRows }: Situation): readonly Obstacle[] {
  if (maturedRows >= policy.minRows) return [];
  const says = `only ${count(maturedRows)} requests have matured labels since the version took traffic, ${count(policy.minRows)} needed`;
  return [{ by: 'rows', says, yieldsToPerson: false }];
}

function dial({ autonomy }: LoopPolicy): readonly Obstacle[] {
  if (autonomy === 'train' || autonomy === 'full') return [];
  const says =
    autonomy === 'observe'
      ? 'the loop only observes'
      : 'the loop only recommends; begin it with: millwright loop trigger';
  return [{ by: 'autonomy', says, yieldsToPerson: true }];
}
