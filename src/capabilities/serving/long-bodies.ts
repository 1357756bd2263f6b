import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What Fastify compares with the length of a body that a hook has taken from it. */
interface Emptied extends Readable {
  receivedEncodedLength?: number;
}

/**
 * Receives bodies of a length between `from` and `to` into one piece of memory each, as they come:
 * joining the pieces of megabytes at the end holds the event loop for milliseconds. The result
 * answers a request's body, or null when it was none of these.
 */
export function receiveLongBodies(
  http: FastifyInstance,
  { from, to }: { readonly from: number; readonly to: number },
): (request: FastifyRequest) => Buffer | null {
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  http.addHook('preParsing', (request, _, payload, done) => {
    const length = Number(request.headers['content-length']);
    if (!(length > from && length <= to)) {
      done(null, payload);
      return;
    }
    // Memory of its own, so that it can be handed to another thread whole.
    const bytes = Buffer.allocUnsafeSlow(length);
    let received = 0;
    payload.on('data', (chunk: Buffer) => {
      received += chunk.copy(bytes, received);
    });
    payload.once('error', done);
    payload.once('end', () => {
      bodies.set(request, bytes.subarray(0, received));
      const emptied: Emptied = Readable.from([]);
      emptied.receivedEncodedLength = received;
      done(null, emptied);
    });
  });
  return (request) => bodies.get(request) ?? null;
}
