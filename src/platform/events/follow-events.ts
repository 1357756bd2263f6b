import { Wakeup } from '../wakeup.ts';
import { eventView } from './event-view.ts';
import type { Events } from './port.ts';

/** Below the idle timeouts of common proxies (30 s and more). */
const HEARTBEAT_MS = 15_000;
/** How soon a browser comes back after a broken connection. */
const RECONNECT_MS = 2000;
/** Events held in memory for one follower; the others wait in the database. */
const BATCH = 100;

export interface FollowOptions {
  readonly events: Pick<Events, 'after' | 'latest' | 'onAppend'>;
  /** The last event the follower has (`Last-Event-ID`); null follows from now on. */
  readonly after: number | null;
  /** Ends the stream: the client has gone, or the server stops. */
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
}

/**
 * Follows the events as text of a Server-Sent Events response
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). It reads on only when the last
 * text was taken, so that a slow follower costs one batch of memory, however far it falls behind.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<string, void> {
  const { events, signal, heartbeatMs = HEARTBEAT_MS } = options;
  const wakeup = new Wakeup();
  const stopListening = events.onAppend(() => {
    wakeup.set();
  });
  try {
    let last = options.after ?? (await events.latest());
    yield `retry: ${RECONNECT_MS}\n\n`;
    while (!signal.aborted) {
      const batch = await events.after(last, BATCH);
      for (const event of batch) {
        yield `id: ${event.seq}\ndata: ${JSON.stringify(eventView(event))}\n\n`;
        last = event.seq;
      }
      if (batch.length > 0) continue;
      const isWoken = await wakeup.wait({ signal, ms: heartbeatMs });
      if (!isWoken && !signal.aborted) yield ': still here\n\n';
    }
  } finally {
    stopListening();
  }
}
