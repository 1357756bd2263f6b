import type { Transport } from '../platform/cli/http-api.ts';
import type { App } from './create-app.ts';

/** Requests to an app of this process, through all of its HTTP layer but the socket. */
export function injectTransport(app: App): Transport {
  return async ({ method, url, headers, body }) => {
    const reply = await app.http.inject({
      method,
      url,
      headers: { authorization: `Bearer ${app.ownPass}`, ...headers, host: '127.0.0.1' },
      ...(body === null ? {} : { payload: body }),
    });
    return { status: reply.statusCode, body: reply.body };
  };
}
