import type { LeftOut } from '../contract.ts';

export interface Reason {
  readonly key: keyof LeftOut;
  readonly text: string;
}

/** Why rows of the range are not in the training set. */
export const REASONS: readonly Reason[] = [
  { key: 'unfinishedWindow', text: 'before the longest window is full' },
  { key: 'immatureLabel', text: 'with a label that may still change' },
  { key: 'missingLabel', text: 'without a label' },
  { key: 'excluded', text: 'in a time that was excluded' },
];

export function leftOutTotal(leftOut: LeftOut): number {
  return REASONS.reduce((sum, { key }) => sum + leftOut[key], 0);
}
