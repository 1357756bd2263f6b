import { existsSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Nothing from outside, nothing inline but Mantine's style tags, no frames, no plugins. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT =
  '<!doctype html><title>Millwright</title><p>The web pages are not built. Run <code>npm run build</code>.';

/** Serves the built UI; a path that is no file and no API is a page of its router. */
export async function staticUi(http: FastifyInstance, folder: string): Promise<void> {
  // Files that say nothing of the workspace; what they show is asked for with a token.
  http.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'open' };
  });
  if (!existsSync(path.join(folder, 'index.html'))) {
    http.get('/', (_, reply) => reply.type('text/html').send(NOT_BUILT));
    return;
  }
  await http.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    immutable: true,
    maxAge: '365d',
    // Only hashed assets may be kept; the page that names them may not.
    setHeaders: (reply, file) => {
      reply.header('content-security-policy', POLICY);
      if (file.endsWith('.html')) reply.header('cache-control', 'no-cache');
    },
  });
  http.get('/*', (request, reply) => {
    const isPage = !/^\/(api|v2|metrics|health|assets|invocations)(\/|$|\?)/.test(request.url);
    if (!isPage) {
      reply.callNotFound();
      return reply;
    }
    return reply.header('cache-control', 'no-cache').sendFile('index.html', { maxAge: 0 });
  });
}
