import type { FastifyInstance } from 'fastify';
import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { readAuthorization } from '../../platform/http/access.ts';
import { createToken, listTokens, revokeToken, SESSION_PATH } from './contract.ts';
import { SESSION_MS, type AuthService } from './service.ts';

export function authRoutes(service: AuthService): readonly MountedRoute[] {
  return [
    mount(createToken, ({ body }, { actor }) => service.create(body, actor)),
    mount(listTokens, async ({ query }) => service.list(query)),
    mount(revokeToken, ({ params }, { actor }) => service.revoke(params.token, actor)),
  ];
}

/**
 * A browser's session, for pages, whose event streams and downloads can send no header: a cookie
 * that no script reads and no other site's page sends.
 */
export function serveSessions(http: FastifyInstance, service: AuthService): void {
  const cookie = (value: string, ageSeconds: number, isSecure: boolean): string =>
    `${service.sessionCookie}=${value}; Path=/; Max-Age=${ageSeconds}; HttpOnly; SameSite=Strict` +
    (isSecure ? '; Secure' : '');
  // With a token in the header, and no body.
  http.post(SESSION_PATH, { config: { access: 'open' } }, async (request, reply) => {
    const session = service.session(readAuthorization(request.headers.authorization ?? ''));
    const isSecure = request.headers['x-forwarded-proto'] === 'https';
    reply.header('set-cookie', cookie(session, SESSION_MS / 1000, isSecure));
    return reply.status(204).header('cache-control', 'no-store').send();
  });
  http.delete(SESSION_PATH, { config: { access: 'open' } }, async (_, reply) =>
    reply
      .header('set-cookie', cookie('', 0, false))
      .status(204)
      .send(),
  );
}
