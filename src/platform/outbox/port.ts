import type { Step } from '../db/port.ts';

/** A side effect to be had outside, recorded with the change that causes it. */
export interface OutboxInput {
  /** Which handler delivers it: `webhook`. */
  readonly kind: string;
  /** Where to: a URL, a channel. */
  readonly target: string;
  /** What causes it, such as an event's seq: one message per kind, target and key, ever. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface OutboxMessage extends Omit<OutboxInput, 'key'> {
  /** The same for every attempt: what the receiver deduplicates by. */
  readonly id: string;
  /** Attempts that have failed before. */
  readonly failures: number;
}

/**
 * Delivers a message, at least once. Rejecting means: try again later. An `AppError` that no later
 * attempt can change (`OUTGOING_URL_REFUSED`, `INVALID_INPUT`, `INVALID_CONFIG`) gives it up at
 * once.
 */
export type OutboxHandler = (
  message: OutboxMessage,
  context: { readonly signal: AbortSignal },
) => Promise<void>;

export interface Outbox {
  /** The step that puts the message in; a message that is there already stays as it is. */
  step(message: OutboxInput): Step;
  /** Registers the handler of a kind, once. Messages without a handler wait for it. */
  handle(kind: string, handler: OutboxHandler): void;
  /** Delivers what is due and waits for it; returns how many messages were tried. */
  deliverDue(): Promise<number>;
  /** Delivers messages as they become due from now on. */
  start(): void;
  /** Aborts deliveries under way (they are tried again after the next start), then stops. */
  stop(): Promise<void>;
}
