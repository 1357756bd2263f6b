import type { Micros } from '../../base/time.ts';
import type { Step } from '../db/port.ts';

/** Something that happened, to be recorded with the change it tells of. */
export interface EventInput {
  /** Who did it: `cli`, `ui`, a token's name, a loop. */
  readonly actor: string;
  /** `<noun>.<past participle>`, such as `route.published`. */
  readonly kind: string;
  /** What it happened to: `endpoint/late`, `table/lab.rows`. */
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface StoredEvent extends EventInput {
  /** Rises in the order in which events became visible, on both databases. */
  readonly seq: number;
  readonly wall: Micros;
  readonly now: Micros;
}

/**
 * What a consumer does with one event. It is called in order and at least once; the steps it
 * returns commit together with the consumer's position, so they happen exactly once.
 */
export type EventHandler = (
  event: StoredEvent,
  context: { readonly signal: AbortSignal },
) => Promise<readonly Step[] | void>;

export interface ConsumeOptions {
  /**
   * Where a consumer that has never run begins: with the first event kept, or with the next one.
   */
  readonly from: 'first' | 'next';
}

export interface Consumer {
  readonly name: string;
  /** Lets the event under way finish, then stops. The position is kept. */
  stop(): Promise<void>;
}

/** What happened in the workspace, in one order, recorded in the transaction of its cause. */
export interface Events {
  /**
   * The step that records the event. Put it after the other steps: on PostgreSQL it takes a lock
   * that keeps the order, and holds it to the end of the transaction.
   */
  step(event: EventInput): Step;
  /** Records what happened outside the database, by itself. */
  record(event: EventInput): Promise<void>;
  /** Newest first, those with a `seq` below `before`, of one subject or of all. */
  list(query: {
    readonly subject?: string;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]>;
  /** Oldest first, those with a greater `seq`. */
  after(seq: number, limit: number): Promise<readonly StoredEvent[]>;
  /** The `seq` of the newest event, 0 before the first. */
  latest(): Promise<number>;
  /** Starts a durable consumer; one at a time may run under a name. */
  consume(name: string, handler: EventHandler, options: ConsumeOptions): Promise<Consumer>;
  /**
   * Waits until every consumer has handled every event, also those that handlers recorded
   * meanwhile: the step of a replay clock.
   */
  settled(): Promise<void>;
  /** Calls soon after events were recorded. Call the result to stop listening. */
  onAppend(listener: () => void): () => void;
  /** Stops every consumer and listener. */
  close(): Promise<void>;
}
