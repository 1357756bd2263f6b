/** What a replay process is told; instants are RFC 3339. */
export interface ReplayOrder {
  readonly url: string;
  /** The project's. */
  readonly folder: string;
  readonly from: string;
  readonly until: string;
  /** Flights before it are in the tables already. */
  readonly loadedUntil: string;
  /** The staged fault: distances are sent and recorded in kilometres meanwhile. */
  readonly kilometres: { readonly from: string; readonly until: string } | null;
}

/** What it says of itself, a line of JSON each time. */
export interface ReplayProgress {
  /** Domain time. */
  readonly at: string;
  /** Requests that this process has made. */
  readonly asked: number;
  /** Departures of the minutes played since `loadedUntil`, whoever played them. */
  readonly planned: number;
}
