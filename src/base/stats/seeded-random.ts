/** Draws of one stream, each uniform in [0, 1). */
export type Random = () => number;

/**
 * The same stream for the same seed on every machine: xoshiro128** (Blackman and Vigna 2018), its
 * state filled from the seed by FNV-1a and splitmix32. For resampling; never for secrets.
 */
export function seededRandom(seed: string | number): Random {
  const fill = splitmix32(hashOf(String(seed)));
  let [a, b, c, d] = [fill(), fill(), fill(), fill() | 1];
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result / 2 ** 32;
  };
}

/** A whole number in [0, count). */
export function drawBelow(random: Random, count: number): number {
  return Math.floor(random() * count);
}

/** A draw of the standard normal distribution (Box and Muller 1958). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash;
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}
