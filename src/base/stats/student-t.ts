import { betaShare } from './beta.ts';
import { invertIncreasing } from './inversion.ts';

/** P(T > t) of Student's distribution (Abramowitz and Stegun 26.7.1). */
export function studentTail(t: number, degrees: number): number {
  const half = betaShare(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t >= 0 ? half : 1 - half;
}

/** The value that a Student variable stays below with this probability; NaN outside (0, 1). */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(degrees > 0) || !(probability > 0 && probability < 1)) return NaN;
  if (probability === 0.5) return 0;
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees);
  return invertIncreasing((t) => 1 - studentTail(t, degrees), probability, 1);
}
