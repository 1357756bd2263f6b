const STEPS_MAX = 200;

/**
 * x > 0 where an increasing function, 0 at 0, takes this value: doubling from a start until it is
 * bracketed, then halving until neighbouring numbers are left.
 */
export function invertIncreasing(f: (x: number) => number, value: number, start: number): number {
  let [low, high] = [0, start];
  for (let step = 0; step < STEPS_MAX && f(high) < value; step++) {
    low = high;
    high *= 2;
  }
  for (let step = 0; step < STEPS_MAX; step++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (f(middle) < value) low = middle;
    else high = middle;
  }
  return high;
}
