/**
 * A sum of doubles that does not depend on their order: kept exactly, as parts that do not overlap,
 * and rounded once, when it is asked for (J. R. Shewchuk, Adaptive Precision Floating-Point
 * Arithmetic, 1997; rounding as in Python's `math.fsum`). Reused, so that adding allocates nothing.
 */
export class TileSum {
  /** Rising in magnitude; only the first `#count` count. */
  readonly #parts: number[] = [0];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  get parts(): readonly number[] {
    return this.#parts.slice(0, this.#count);
  }

  add(value: number): void {
    const parts = this.#parts;
    let rest = value;
    let kept = 0;
    for (let index = 0; index < this.#count; index += 1) {
      const part = parts[index]!;
      const high = rest + part;
      const shadow = high - rest;
      const low = rest - (high - shadow) + (part - shadow);
      if (low !== 0) {
        parts[kept] = low;
        kept += 1;
      }
      rest = high;
    }
    if (rest !== 0) {
      parts[kept] = rest;
      kept += 1;
    }
    this.#count = kept;
  }

  /** The double nearest to the exact sum, of two the even one. */
  value(): number {
    const parts = this.#parts;
    let index = this.#count - 1;
    if (index < 0) return 0;
    let high = parts[index]!;
    let low = 0;
    while (index > 0) {
      index -= 1;
      const before = high;
      const part = parts[index]!;
      high = before + part;
      low = part - (high - before);
      if (low !== 0) break;
    }
    // What lies below decides a tie.
    if (index > 0 && low < 0 === parts[index - 1]! < 0) {
      const twice = low * 2;
      const next = high + twice;
      if (twice === next - high) return next;
    }
    return high;
  }
}
