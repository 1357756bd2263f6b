import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';
import { followEvents } from '../events/follow-events.ts';
import { every } from '../system.ts';
import type { Events } from '../events/port.ts';

/** Browsers and scripts that follow events at once; each costs a socket and a small buffer. */
const FOLLOWERS_MAX = 200;
/** How soon a stream ends whose token was revoked. */
const LOOK_AT_TOKEN_MS = 1000;

/**
 * Mounts the event stream (server-sent events): everything after `?after=SEQ`, default from now.
 */
export function serveEvents(
  http: FastifyInstance,
  options: { readonly path: string; readonly events: Events },
): void {
  const followers = new Set<AbortController>();
  http.addHook('preClose', (done) => {
    for (const follower of followers) follower.abort();
    done();
  });
  http.get(options.path, async (request, reply) => {
    if (followers.size >= FOLLOWERS_MAX) {
      throw new AppError('OVERLOADED', `${FOLLOWERS_MAX} clients already follow the events.`);
    }
    const { after } = request.query as { after?: string };
    const last = request.headers['last-event-id'] ?? after;
    const controller = new AbortController();
    followers.add(controller);
    const { caller } = request;
    const stopLooking = every(LOOK_AT_TOKEN_MS, () => {
      if (caller?.isCurrent() === false) controller.abort();
    });
    reply.raw.once('close', () => {
      stopLooking();
      followers.delete(controller);
      controller.abort();
    });
    const { events } = options;
    const start = startOf(last) ?? (await events.latest());
    const chunks = followEvents({ events, after: start, signal: controller.signal });
    return reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .send(Readable.from(chunks));
  });
}

/** Null follows from now on. */
function startOf(last: string | string[] | undefined): number | null {
  if (typeof last !== 'string') return null;
  const seq = Number(last);
  if (Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new AppError('INVALID_INPUT', 'query.after: not a sequence number');
}
