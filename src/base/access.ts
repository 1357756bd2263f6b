/** What a token may be allowed: `write` includes `read`, and `admin` everything. */
export const SCOPES = ['read', 'write', 'infer', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whose requests a route takes: those of the scope, or of any of several, or everybody's. */
export type RouteAccess = Scope | readonly Scope[] | 'open';

const INCLUDED: Readonly<Record<Scope, readonly Scope[]>> = {
  read: [],
  write: ['read'],
  infer: [],
  admin: ['read', 'write', 'infer'],
};

/** The scopes with everything that they include. */
export function withIncluded(scopes: readonly Scope[]): ReadonlySet<Scope> {
  return new Set(scopes.flatMap((scope) => [scope, ...INCLUDED[scope]]));
}

/** Of a route that does not say it: what only asks reads, and everything else writes. */
export function accessByMethod(method: string): Scope {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write';
}

/** The scopes any one of which is enough; none where everybody may. */
export function scopesOf(access: RouteAccess): readonly Scope[] {
  if (access === 'open') return [];
  return typeof access === 'string' ? [access] : access;
}
