import { gammaTail } from './gamma.ts';
import { invertIncreasing } from './inversion.ts';

/** P(Z > z) of the standard normal distribution. */
export function normalTail(z: number): number {
  const half = gammaTail(0.5, (z * z) / 2) / 2;
  return z >= 0 ? half : 1 - half;
}

/** The value that a standard normal stays below with this probability; NaN outside (0, 1). */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) return NaN;
  if (probability === 0.5) return 0;
  if (probability < 0.5) return -normalQuantile(1 - probability);
  return invertIncreasing((z) => 1 - normalTail(z), probability, 1);
}
