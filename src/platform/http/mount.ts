import type { AnyRoute, RouteReply, RouteRequest } from '../../base/route.ts';

/** What a handler knows of the caller besides the parsed parts of its route. */
export interface RequestContext {
  /** Who does it, for events and revisions: `cli`, `ui`, a token's name. */
  readonly actor: string;
  /** Aborts when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /** The unread body of a `bodyType: 'stream'` route. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The media type of the body without its parameters, in lower case; null when none was sent. */
  readonly contentType: string | null;
}

export interface MountedRoute {
  readonly route: AnyRoute;
  readonly handle: (request: unknown, context: RequestContext) => Promise<unknown>;
}

/** Binds a handler to a native route: parse, then service, then reply; no decisions here. */
export function mount<R extends AnyRoute>(
  route: R,
  handle: (request: RouteRequest<R>, context: RequestContext) => Promise<RouteReply<R>>,
): MountedRoute {
  return {
    route,
    handle: (request, context) => handle(request as RouteRequest<R>, context),
  };
}
