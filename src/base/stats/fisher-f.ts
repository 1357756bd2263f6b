import { betaShare } from './beta.ts';
import { invertIncreasing } from './inversion.ts';

/**
 * The value that the ratio of two mean squares with these degrees of freedom stays below with this
 * probability; NaN outside [0, 1).
 */
export function fisherQuantile(probability: number, above: number, below: number): number {
  if (!(above > 0 && below > 0) || !(probability >= 0 && probability < 1)) return NaN;
  if (probability === 0) return 0;
  const share = (f: number) => betaShare((above * f) / (above * f + below), above / 2, below / 2);
  return invertIncreasing(share, probability, 1);
}

/** P(F > f) for the ratio of two mean squares with these degrees of freedom. */
export function fisherTail(f: number, above: number, below: number): number {
  if (f <= 0) return 1;
  return betaShare(below / (above * f + below), below / 2, above / 2);
}
