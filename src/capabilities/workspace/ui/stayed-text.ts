import { formatCount, formatCounted, formatSigned, formatValue } from '../../../web/kit/format.ts';
import type { FixedBeside, FixedHistory } from '../../monitoring/contract.ts';

/** In sentences: the result, how it was found, and what is not in it. */
export function stayedText(fixed: FixedHistory): string {
  const { version, matureUntil, waiting, whole, windowDays } = fixed;
  if (matureUntil === null) return 'Without a declared label no answer can be judged.';
  if (waiting > 0) {
    const scored = fixed.days.length;
    return `Scoring v${version} on what others answered, the newest days first: ${formatCounted(scored, 'day')} done, ${formatCount(waiting)} to go.`;
  }
  const how = `Dashed: v${version} scored offline, in the engine, on the logged vectors of the requests that whatever version answered, ${windowDays} days a point.`;
  if (whole === null) return `${how} There are not two whole labelled days yet.`;
  return [resultText(fixed, whole), how, leftOutText(fixed)].filter((one) => one !== '').join(' ');
}

function resultText({ version, metric }: FixedHistory, whole: FixedBeside): string {
  const { fixed, served, better, lower, upper, days, rows } = whole;
  const verdict =
    lower > 0
      ? 'what was served is better than chance explains'
      : upper < 0
        ? 'what was served is worse than chance explains'
        : 'no more than chance explains';
  return `Had v${version} stayed: ${metric} ${formatValue(fixed)}, against ${formatValue(served)} of what was served, on the same ${formatCounted(rows, 'labelled request')} of ${formatCounted(days, 'day')}. Better by ${formatSigned(better)} (95 %: ${formatSigned(lower)} to ${formatSigned(upper)}, as days differ): ${verdict}.`;
}

function leftOutText({ leftOut }: FixedHistory): string {
  const { unlabelled, otherDefinition, unscored } = leftOut;
  const parts = [
    unlabelled > 0 ? `${formatCount(unlabelled)} without a label` : '',
    otherDefinition > 0 ? `${formatCount(otherDefinition)} of another feature definition` : '',
    unscored > 0 ? `${formatCount(unscored)} without a score` : '',
  ].filter((one) => one !== '');
  return parts.length === 0 ? '' : `Left out: ${parts.join(', ')}.`;
}
