import type { Micros } from '../../base/time.ts';
import type { GateMetric } from './contract.ts';
import type { TimeSpan } from './evaluation-span.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { change, count, figure, list, moment, percent, sentence } from './phrases.ts';

/** How one version does on the rows of a comparison. */
export interface VersionFigures {
  readonly auc: number | null;
  readonly logLoss: number | null;
  readonly meanScore: number | null;
  /** Rows it gave no usable score for. */
  readonly missing: number;
}

/** Two versions on the very same rows, in blocks of days. */
export interface Comparison {
  readonly rows: number;
  readonly positives: number;
  /** Days that hold rows. */
  readonly blocks: number;
  readonly champion: VersionFigures;
  readonly challenger: VersionFigures;
  /**
   * How much better the challenger is in the gate's metric, whichever way that points, with
   * one-sided bounds at `level`; null when the rows do not allow one.
   */
  readonly improvement: {
    readonly value: number;
    readonly lower: number;
    readonly upper: number;
    readonly level: number;
  } | null;
}

/** What a version was trained on; `until` null when nobody knows. */
export interface TrainedOn {
  readonly trainingSet: { readonly name: string; readonly version: number } | null;
  readonly until: Micros | null;
  readonly definition: string | null;
}

/** Looked at before traffic moves; it can forbid, never allow. */
export interface Guardrail {
  readonly name: 'signature' | 'definition' | 'latency' | 'scores';
  readonly result: 'passed' | 'vetoed' | 'not_done';
  readonly summary: string;
}

export interface GateQuestion {
  readonly champion: number;
  readonly challenger: number;
  readonly evaluation: TimeSpan;
  readonly trained: { readonly champion: TrainedOn; readonly challenger: TrainedOn };
  /** Null when the versions could not be compared; `why` says so. */
  readonly comparison: Comparison | null;
  readonly why: string | null;
  readonly guardrails: readonly Guardrail[];
}

export interface GateVerdict {
  readonly isPassed: boolean;
  readonly reason: string;
}

/** A bound from one day alone says nothing of days. */
export const GATE_BLOCKS_MIN = 2;

/** Whether the challenger may take the champion's traffic. Nothing waives it. */
export function judgeGate(policy: LoopPolicy, question: GateQuestion): GateVerdict {
  const { champion, challenger, comparison } = question;
  const name = `challenger v${challenger}`;
  const refuse = (says: string): GateVerdict => ({
    isPassed: false,
    reason: sentence(`${name} is rejected: ${says}`),
  });
  const leak = overlapOf(question);
  if (leak !== null) return refuse(leak);
  if (comparison === null) return refuse(question.why ?? 'it could not be compared');
  if (comparison.blocks < GATE_BLOCKS_MIN || comparison.improvement === null) {
    return refuse(
      `the held-out days from ${moment(question.evaluation.from)} to ${moment(question.evaluation.until)} ` +
        `hold ${count(comparison.rows)} matured rows on ${comparison.blocks} days, too few for a bound`,
    );
  }
  const vetoes = question.guardrails.filter(({ result }) => result === 'vetoed');
  if (vetoes.length > 0) return refuse(list(vetoes.map(({ summary }) => summary)));
  const said = comparedText(policy.metric, { champion, challenger }, comparison);
  const { value, lower, level } = comparison.improvement;
  const bound = `lower bound ${change(lower)} (${percent(level)})`;
  const reason = sentence(`${said}: better by ${figure(value)}, ${bound}`);
  if (lower > 0) return { isPassed: true, reason };
  const by = value < 0 ? `worse by ${figure(-value)}, the` : `better by ${figure(value)}, but the`;
  return refuse(`${said}: ${by} ${bound} is not above 0`);
}

/** Versions judged on rows they were trained on look better than they are. */
function overlapOf(question: GateQuestion): string | null {
  const { evaluation, trained } = question;
  const { challenger, champion } = trained;
  const days = `the days of the gate, ${moment(evaluation.from)} to ${moment(evaluation.until)}`;
  if (challenger.trainingSet === null || challenger.until === null) {
    return `no pinned training set tells whether it was trained on ${days}`;
  }
  if (challenger.until > evaluation.from) {
    const { name, version } = challenger.trainingSet;
    return `its training set ${name}@${version} goes to ${moment(challenger.until)} and overlaps ${days}`;
  }
  if (champion.until !== null && champion.until > evaluation.from) {
    return `the champion itself was trained on data to ${moment(champion.until)}, which overlaps ${days}`;
  }
  return null;
}

/** What both versions came to, on which rows. */
export function comparedText(
  metric: GateMetric,
  versions: { readonly champion: number; readonly challenger: number },
  comparison: Comparison,
): string {
  const name = metric === 'auc' ? 'AUC' : 'log-loss';
  const of = ({ auc, logLoss }: VersionFigures): string => {
    const value = metric === 'auc' ? auc : logLoss;
    return value === null ? 'unknown' : figure(value);
  };
  const { rows, blocks, champion, challenger } = comparison;
  return (
    `v${versions.challenger} against v${versions.champion} on ${count(rows)} rows of ${blocks} days: ` +
    `${name} ${of(challenger)} against ${of(champion)}`
  );
}

/** A score less for one row in a thousand: float formats differ, missing inputs do not. */
const MISSING_SHARE_MAX = 0.001;
/** How much further from the rate of positives the mean score may be than the champion's. */
const MEAN_SCORE_MARGIN = 0.1;

/** Whether the challenger's scores are fit to act on: there, and about as high as the labels. */
export function scoresGuardrail(metric: GateMetric, comparison: Comparison): Guardrail {
  const { rows, positives, champion, challenger } = comparison;
  const name = 'scores';
  const lost = (challenger.missing - champion.missing) / Math.max(rows, 1);
  if (lost > MISSING_SHARE_MAX) {
    const [own, former] = [challenger.missing / rows, champion.missing / rows].map(percent);
    const summary = `it gives no score for ${own} of the rows, the champion for ${former}`;
    return { name, result: 'vetoed', summary };
  }
  if (challenger.meanScore === null || champion.meanScore === null || rows === 0) {
    return { name, result: 'not_done', summary: 'no mean score to compare with the labels' };
  }
  const rate = positives / rows;
  const off = Math.abs(challenger.meanScore - rate);
  const [own, former] = [challenger.meanScore, champion.meanScore].map(figure);
  const summary = `its mean score is ${own}, the champion's ${former}, the labels' mean ${figure(rate)}`;
  // Log-loss itself asks for scores as high as the labels; the order alone does not.
  const isAsked = metric === 'auc';
  const isOff = isAsked && off > Math.abs(champion.meanScore - rate) + MEAN_SCORE_MARGIN;
  return { name, result: isOff ? 'vetoed' : 'passed', summary };
}
