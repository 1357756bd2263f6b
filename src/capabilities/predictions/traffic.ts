import { MICROS_PER_SECOND, micros, type Micros } from '../../base/time.ts';

/** How far back the traffic charts look. */
const SECONDS_KEPT = 600;
/** Latency buckets grow by a fifth: quantiles are right within 10 %. */
const BUCKET_BASE = 1.2;
const LATENCY_BUCKETS = 96;

interface Cell {
  readonly endpoint: string;
  readonly modelVersion: number;
  requests: number;
  errors: number;
  readonly latencies: Uint32Array;
  readonly total: TrafficTotal;
}

/** Requests of one version since this process started. */
export interface TrafficTotal {
  readonly endpoint: string;
  readonly modelVersion: number;
  requests: number;
  errors: number;
}

/** One second of one version's traffic. */
export interface TrafficSecond {
  /** Domain time, start of the second. */
  readonly now: Micros;
  readonly endpoint: string;
  readonly modelVersion: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Counts answered requests per second, endpoint and version: about 0.1 us a request. */
export class Traffic {
  #second = 0;
  #cells = new Map<string, Map<number, Cell>>();
  #past: TrafficSecond[] = [];
  readonly #totals = new Map<string, TrafficTotal>();

  count(request: {
    readonly now: Micros;
    readonly endpoint: string;
    readonly modelVersion: number;
    readonly isError: boolean;
    readonly totalUs: number;
  }): void {
    const second = Math.floor(request.now / MICROS_PER_SECOND);
    if (second !== this.#second) this.#turn(second);
    const cell = this.#cell(request.endpoint, request.modelVersion);
    cell.total.requests += 1;
    if (request.isError) cell.total.errors += 1;
    cell.requests += 1;
    if (request.isError) cell.errors += 1;
    cell.latencies[latencyBucket(request.totalUs)]! += 1;
  }

  /** Seconds of the last ten minutes up to `now`, oldest first, the running one included. */
  recent(now: Micros): readonly TrafficSecond[] {
    const from = now - SECONDS_KEPT * MICROS_PER_SECOND;
    return [...this.#past, ...this.#running()].filter((second) => second.now >= from);
  }

  totals(): readonly Readonly<TrafficTotal>[] {
    return [...this.#totals.values()];
  }

  #turn(second: number): void {
    const oldest = (second - SECONDS_KEPT) * MICROS_PER_SECOND;
    this.#past = [...this.#past.filter((past) => past.now >= oldest), ...this.#running()];
    this.#cells.clear();
    this.#second = second;
  }

  #cell(endpoint: string, modelVersion: number): Cell {
    let versions = this.#cells.get(endpoint);
    if (versions === undefined) {
      versions = new Map();
      this.#cells.set(endpoint, versions);
    }
    let cell = versions.get(modelVersion);
    if (cell === undefined) {
      const latencies = new Uint32Array(LATENCY_BUCKETS);
      const total = this.#total(endpoint, modelVersion);
      cell = { endpoint, modelVersion, requests: 0, errors: 0, latencies, total };
      versions.set(modelVersion, cell);
    }
    return cell;
  }

  #total(endpoint: string, modelVersion: number): TrafficTotal {
    const key = `${endpoint}@${modelVersion}`;
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = { endpoint, modelVersion, requests: 0, errors: 0 };
      this.#totals.set(key, total);
    }
    return total;
  }

  #running(): readonly TrafficSecond[] {
    return [...this.#cells.values()].flatMap((versions) =>
      [...versions.values()].map((cell) => ({
        now: micros(this.#second * MICROS_PER_SECOND),
        endpoint: cell.endpoint,
        modelVersion: cell.modelVersion,
        requests: cell.requests,
        errors: cell.errors,
        p50Us: quantile(cell, 0.5),
        p99Us: quantile(cell, 0.99),
      })),
    );
  }
}

function latencyBucket(us: number): number {
  if (us <= 1) return 0;
  return Math.min(LATENCY_BUCKETS - 1, Math.floor(Math.log(us) / Math.log(BUCKET_BASE)));
}

/** Upper edge of the bucket that holds the quantile, microseconds. */
function quantile(cell: Cell, share: number): number {
  let left = Math.ceil(cell.requests * share);
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket += 1) {
    left -= cell.latencies[bucket]!;
    if (left <= 0) return Math.round(BUCKET_BASE ** (bucket + 1));
  }
  return Math.round(BUCKET_BASE ** LATENCY_BUCKETS);
}
