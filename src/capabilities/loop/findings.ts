import { MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import type { CauseKind } from './contract.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { count, figure, list, moment, span } from './phrases.ts';

/** What a monitor found of one thing at one evaluation. */
export interface Finding {
  readonly kind: string;
  /** The feature, input or label it is about; `*` for the whole. */
  readonly subject: string;
  /** The model version it is about; null for the endpoint as such. */
  readonly version: number | null;
  readonly state: 'ok' | 'warn' | 'alert' | 'no_data' | 'too_few_labels';
  /** Whether this evaluation by itself is beyond the threshold; an alert outlasts it. */
  readonly isBreach: boolean;
  /** When it began and ended; null when it does not say. */
  readonly since: Micros | null;
  readonly until: Micros | null;
  /** In words, with its numbers. */
  readonly explanation: string;
  readonly numbers: Readonly<Record<string, number | null>>;
}

/** A monitor's evaluation of an endpoint at the end of a window. */
export interface EvaluationFacts {
  readonly id: string;
  readonly at: Micros;
  readonly findings: readonly Finding[];
}

/** What answers an endpoint's requests, and since when. */
export interface Release {
  readonly model: string;
  readonly version: number;
  /** The route revision that is current. */
  readonly revision: number;
  /** Who published it. */
  readonly by: string;
  /** Domain time at which the version first took traffic. */
  readonly since: Micros;
}

/** Why a new version is wanted. */
export interface CauseFacts {
  readonly kind: CauseKind;
  readonly says: string;
  /** Why this cause is not enough by itself; null when it is. */
  readonly doubt: string | null;
}

/**
 * The quality a loop wants back: a version's reference is its own first days, so one that repairs
 * half of a loss would count as fine for ever.
 */
export interface WantedQuality {
  readonly value: number;
  /** How far below is as good as back. */
  readonly margin: number;
  readonly isHigherBetter: boolean;
}

/** What of quality a loop carries from one evaluation to the next. */
export interface QualityMemory {
  readonly wanted: WantedQuality | null;
  /** The newest evaluation was a breach, in an alert. */
  readonly isBroken: boolean;
  /** And so was the one before: what came by chance recedes, what broke stays. */
  readonly isConfirmed: boolean;
}

export const NO_QUALITY: QualityMemory = { wanted: null, isBroken: false, isConfirmed: false };

/** Findings after which what was recorded is not to be learnt from. */
const INCIDENTS: readonly string[] = ['unit_change', 'label_silence', 'missing'];
/** For so long missing values are an incident: somebody repairs it, or means it. */
const MISSING_NEW_MICROS = 7 * 86_400 * MICROS_PER_SECOND;
const SUBJECTS_SHOWN = 3;

/** What an evaluation and the release's age give cause for, in a fixed order. */
export function causesOf(
  policy: LoopPolicy,
  facts: {
    readonly at: Micros;
    readonly evaluation: EvaluationFacts | null;
    readonly release: Release;
    readonly maturedRows: number;
    readonly quality: QualityMemory;
  },
): readonly CauseFacts[] {
  const { at, evaluation, release, maturedRows, quality } = facts;
  const { triggers } = policy;
  const found = evaluation === null ? [] : ofVersion(evaluation.findings, release.version);
  const causes: CauseFacts[] = [];
  if (triggers.quality) causes.push(...qualityCause(found, quality));
  if (triggers.drift) causes.push(...driftCause(found));
  const age = at - release.since;
  if (triggers.ageMicros !== null && age >= triggers.ageMicros) {
    const says = `version ${release.version} has answered for ${span(age)}, since ${moment(release.since)}`;
    causes.push({ kind: 'age', says, doubt: null });
  }
  if (triggers.newRows !== null && maturedRows >= triggers.newRows) {
    const says = `${count(maturedRows)} requests got matured labels since version ${release.version} took traffic`;
    causes.push({ kind: 'new_rows', says, doubt: null });
  }
  return causes;
}

/**
 * What of an evaluation says that the data itself is broken. Values that have been missing for long
 * are how things are now, which training takes up.
 */
export function incidentsOf(evaluation: EvaluationFacts | null): readonly Finding[] {
  if (evaluation === null) return [];
  const { at, findings } = evaluation;
  return alerts(findings, INCIDENTS).filter(
    ({ kind, since }) => kind !== 'missing' || since === null || at - since < MISSING_NEW_MICROS,
  );
}

/** Inputs that changed their unit, by the hour it began. */
export function unitChangesOf(evaluation: EvaluationFacts): readonly Finding[] {
  return alerts(evaluation.findings, ['unit_change']);
}

function ofVersion(findings: readonly Finding[], version: number): readonly Finding[] {
  return findings.filter((one) => one.version === null || one.version === version);
}

function alerts(findings: readonly Finding[], kinds: readonly string[]): readonly Finding[] {
  return findings.filter(({ kind, state }) => state === 'alert' && kinds.includes(kind));
}

function qualityCause(
  found: readonly Finding[],
  { wanted, isConfirmed }: QualityMemory,
): readonly CauseFacts[] {
  const dropped = isConfirmed ? alerts(found, ['quality']) : [];
  const parts = dropped.map(({ explanation }) => bare(explanation));
  if (parts.length === 0 && wanted !== null) {
    const quality = found.find(({ kind }) => kind === 'quality');
    const value = quality?.numbers['value'] ?? null;
    if (quality !== undefined && value !== null && isBelow(value, wanted)) {
      parts.push(
        `${bare(quality.explanation)}; it was ${figure(wanted.value)} before it fell and is not back`,
      );
    }
  }
  return parts.length === 0 ? [] : [{ kind: 'quality', says: list(parts), doubt: null }];
}

function isBelow(value: number, { value: was, margin, isHigherBetter }: WantedQuality): boolean {
  return (isHigherBetter ? was - value : value - was) >= margin;
}

/** What is remembered after an evaluation of the version. */
export function qualityAfter(
  former: QualityMemory,
  evaluation: EvaluationFacts,
  version: number,
): QualityMemory {
  const quality = ofVersion(evaluation.findings, version).find(({ kind }) => kind === 'quality');
  const isBroken = quality?.state === 'alert' && quality.isBreach;
  const isConfirmed = isBroken && former.isBroken;
  const { value = null, reference = null, threshold = null } = quality?.numbers ?? {};
  if (value === null) return { ...former, isBroken, isConfirmed };
  if (former.wanted !== null) {
    const wanted = isBelow(value, former.wanted) ? former.wanted : null;
    return { wanted, isBroken, isConfirmed };
  }
  const isLost = isConfirmed && reference !== null && threshold !== null;
  const wanted = isLost
    ? { value: reference, margin: threshold, isHigherBetter: reference > value }
    : null;
  return { wanted, isBroken, isConfirmed };
}

function bare(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

/** Inputs move with every season: alone they are no reason to train. */
function driftCause(found: readonly Finding[]): readonly CauseFacts[] {
  const moved = alerts(found, ['drift']);
  if (moved.length === 0) return [];
  const subjects = moved.map(({ subject }) => (subject === '*' ? 'the inputs together' : subject));
  const names = subjects.slice(0, SUBJECTS_SHOWN);
  const more = moved.length - names.length;
  const shown = more > 0 ? [...names, `${more} more`] : names;
  const says = `inputs moved beyond what days differ by: ${list(shown)}`;
  return [{ kind: 'drift', says, doubt: driftDoubt(found) }];
}

function driftDoubt(found: readonly Finding[]): string | null {
  const quality = found.find(({ kind }) => kind === 'quality');
  if (quality?.state === 'ok') {
    return `inputs moved, quality did not: ${bare(quality.explanation)}`;
  }
  if (alerts(found, ['score_drift']).length > 0) return null;
  return 'inputs moved, but the scores are distributed as before';
}
