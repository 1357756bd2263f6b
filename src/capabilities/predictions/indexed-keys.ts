/** Keys remembered of one endpoint: past them whoever waits for some looks at all that waits. */
const KEYS_MAX = 100_000;

/**
 * Business keys of requests that came into the index, for the one who waits for some of them: it
 * looks at what is new, and not, each time, at everything that waits. In memory, and of endpoints
 * that somebody asks for.
 */
export class IndexedKeys {
  /** Null where more came than is remembered. */
  readonly #byEndpoint = new Map<string, string[] | null>();

  add(endpoint: string, key: string): void {
    const arrived = this.#byEndpoint.get(endpoint);
    if (arrived === undefined || arrived === null) return;
    if (arrived.length === KEYS_MAX) this.#byEndpoint.set(endpoint, null);
    else arrived.push(key);
  }

  /** What came since the last call; null when that is not known, as at the first. */
  take(endpoint: string): readonly string[] | null {
    const arrived = this.#byEndpoint.get(endpoint) ?? null;
    this.#byEndpoint.set(endpoint, []);
    return arrived;
  }
}
