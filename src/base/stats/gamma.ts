import { invertIncreasing } from './inversion.ts';

/** Terms after which series and continued fractions have long converged for sizes met here. */
const TERMS_MAX = 10_000;
const PRECISION = 1e-16;
const TINY = 1e-300;

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** ln of the gamma function for x > 0 (Lanczos, g = 7, 9 terms; relative error below 1e-13). */
export function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x);
  const shifted = x - 1;
  let sum = LANCZOS[0]!;
  for (let at = 1; at < LANCZOS.length; at++) sum += LANCZOS[at]! / (shifted + at);
  const t = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * Upper tail of the gamma distribution with this shape and scale 1: the regularised incomplete
 * gamma function Q(shape, x). By series below shape + 1, by Lentz's continued fraction above
 * (Abramowitz and Stegun 6.5.29, 6.5.31). NaN for a shape that is not positive.
 */
export function gammaTail(shape: number, x: number): number {
  if (!(shape > 0) || Number.isNaN(x)) return NaN;
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  const front = Math.exp(shape * Math.log(x) - x - lnGamma(shape));
  if (x < shape + 1) {
    let term = 1 / shape;
    let sum = term;
    for (let at = 1; at < TERMS_MAX && term > sum * PRECISION; at++) {
      term *= x / (shape + at);
      sum += term;
    }
    return Math.max(0, 1 - front * sum);
  }
  return front * gammaFraction(shape, x);
}

function gammaFraction(shape: number, x: number): number {
  let b = x + 1 - shape;
  let c = 1 / TINY;
  let d = 1 / b;
  let value = d;
  for (let at = 1; at < TERMS_MAX; at++) {
    const a = -at * (at - shape);
    b += 2;
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < PRECISION) break;
  }
  return value;
}

function nonZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}

/** P(X > x) of the chi-squared distribution. */
export function chiSquaredTail(x: number, degrees: number): number {
  return gammaTail(degrees / 2, x / 2);
}

/** The value that a chi-squared variable stays below with this probability; NaN outside [0, 1]. */
export function chiSquaredQuantile(probability: number, degrees: number): number {
  if (!(degrees > 0) || !(probability >= 0 && probability <= 1)) return NaN;
  if (probability === 0) return 0;
  if (probability === 1) return Infinity;
  return invertIncreasing((x) => 1 - chiSquaredTail(x, degrees), probability, degrees);
}
