/** Shorter values are read as fast as they are found here. */
const BYTES_MIN = 256;
/** Of all values together, without their keys. */
const BYTES_MAX = 32 * 1024 * 1024;

/**
 * Values as this process wrote them last, the least recently written forgotten first: whoever
 * changes a value again and again need not read it from the map each time.
 */
export class WrittenValues {
  /** By key, the least recently written first. */
  readonly #values = new Map<string, Uint8Array>();
  #bytes = 0;

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Uint8Array | null): void {
    const former = this.#values.get(key);
    if (former !== undefined) {
      this.#bytes -= former.length;
      this.#values.delete(key);
    }
    if (value === null || value.length < BYTES_MIN) return;
    this.#values.set(key, value);
    this.#bytes += value.length;
    for (const [oldest, { length }] of this.#values) {
      if (this.#bytes <= BYTES_MAX) return;
      this.#bytes -= length;
      this.#values.delete(oldest);
    }
  }
}
