/** Segments that take no more records and wait until these are safe elsewhere, oldest first. */
export class SealedSegments {
  #bytesOf = new Map<string, number>();
  #bytes = 0;

  /** Of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#bytesOf.size;
  }

  get files(): readonly string[] {
    return [...this.#bytesOf.keys()];
  }

  add(file: string, bytes: number): void {
    this.#bytesOf.set(file, bytes);
    this.#bytes += bytes;
  }

  release(files: readonly string[]): void {
    for (const file of files) {
      this.#bytes -= this.#bytesOf.get(file) ?? 0;
      this.#bytesOf.delete(file);
    }
  }
}
