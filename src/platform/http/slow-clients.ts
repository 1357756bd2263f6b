import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { every } from '../system.ts';
import type { Connections } from './connections.ts';

/** A client whose turn it is and who neither sends nor takes a byte for so long is cut off. */
const STALL_MS = 20_000;
/** Requests that are answered sooner cost nothing here. */
const LOOK_MS = 1000;
/** Of answers that wait to be taken, all together. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Cuts off clients that stop in the middle of a request or an answer. What waits for the server
 * itself, such as a long build or a body that is not read yet, may take its time.
 */
export function cutSlowClients(
  http: FastifyInstance,
  underWay: ReadonlySet<ServerResponse>,
  connections: Pick<Connections, 'cut'>,
): void {
  const watched = new WeakSet<object>();
  const stop = every(LOOK_MS, () => {
    cutLargest(underWay, connections);
    for (const response of underWay) {
      const { socket } = response;
      if (socket === null) continue;
      // Node itself sees to it that what is written bit by bit is no silence.
      const wanted = isClientsTurn(response) ? STALL_MS : 0;
      if ((socket.timeout ?? 0) !== wanted) socket.setTimeout(wanted);
      if (watched.has(socket)) continue;
      watched.add(socket);
      socket.on('timeout', () => {
        // After an answer the timeout is that of an idle connection.
        if (underWay.has(response)) connections.cut += 1;
      });
    }
  });
  http.addHook('onClose', (_, done) => {
    stop();
    done();
  });
}

/** Answers that wait in memory for slow readers must not fill it: the largest go first. */
function cutLargest(
  underWay: ReadonlySet<ServerResponse>,
  connections: Pick<Connections, 'cut'>,
): void {
  const waiting = [...underWay].filter((response) => response.writableLength > 0);
  let bytes = waiting.reduce((sum, response) => sum + response.writableLength, 0);
  if (bytes <= WAITING_BYTES_MAX) return;
  for (const response of waiting.toSorted((a, b) => b.writableLength - a.writableLength)) {
    if (bytes <= WAITING_BYTES_MAX / 2) return;
    bytes -= response.writableLength;
    connections.cut += 1;
    response.destroy();
  }
}

/** Whether it has yet to send what there is room for, or to take what waits for it. */
function isClientsTurn(response: ServerResponse): boolean {
  const { req: request } = response;
  const isToSend = !request.complete && request.readableLength < request.readableHighWaterMark;
  return isToSend || response.writableLength > 0;
}
