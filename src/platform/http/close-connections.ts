import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { after, every } from '../system.ts';

/** Requests under way get this long when the server stops; then they are cut off. */
const STOP_GRACE_MS = 5000;
const LOOK_MS = 20;

/**
 * What failed in the middle of a body has left its stream, and nobody reads the rest: the next
 * request on this connection would wait behind it for ever. A body that was not begun is passed
 * over by Node.
 */
export function closeIfUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.destroyed && !raw.complete) reply.header('connection', 'close');
}

/** The answers that are not finished yet. */
export function requestsUnderWay(http: FastifyInstance): ReadonlySet<ServerResponse> {
  const underWay = new Set<ServerResponse>();
  http.server.on('request', (_, response: ServerResponse) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
  });
  return underWay;
}

/**
 * Ends the connections of a server that stops. Node closes those that are idle at that moment and
 * waits for the others: for one that never sent a request until the timeout of its headers, for one
 * whose event stream just ended until keep-alive runs out. Here they go once no request is under
 * way, and all of them after the grace.
 */
export function closeConnections(
  http: FastifyInstance,
  underWay: ReadonlySet<ServerResponse>,
): void {
  let stop = (): void => undefined;
  http.addHook('preClose', (done) => {
    const stopLooking = every(LOOK_MS, () => {
      if (underWay.size === 0) http.server.closeAllConnections();
    });
    const cancelGrace = after(STOP_GRACE_MS, () => http.server.closeAllConnections());
    stop = () => {
      stopLooking();
      cancelGrace();
    };
    done();
  });
  http.addHook('onClose', (_, done) => {
    stop();
    done();
  });
}
