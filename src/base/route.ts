import type { z } from 'zod';
import type { RouteAccess } from './access.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * One native API operation, as data: the server mounts it, the CLI and the UI call it, and the
 * OpenAPI document is generated from it. Paths use `:name` parameters.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> {
  readonly id: string;
  readonly method: HttpMethod;
  readonly path: `/${string}`;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  /**
   * JSON body; for `bodyType: 'stream'` the schema is absent and the bytes are passed on unread.
   */
  readonly body?: Body;
  readonly bodyType?: 'json' | 'stream';
  readonly reply: Reply;
  /** Status of success; 200 unless stated. */
  readonly status?: 200 | 201 | 202;
  /** Unless stated, `read` for a GET and `write` for the others. */
  readonly access?: RouteAccess;
  /** The reply is told once and kept nowhere, so the route takes no `Idempotency-Key`. */
  readonly hasSecretReply?: boolean;
}

/** Declares a route and keeps its schema types. */
export function route<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Reply extends z.ZodType = z.ZodType,
>(descriptor: Route<Params, Query, Body, Reply>): Route<Params, Query, Body, Reply> {
  return descriptor;
}

export type AnyRoute = Route;
type Part<Schema, Key extends string> = Schema extends z.ZodUndefined
  ? { readonly [K in Key]?: undefined }
  : Schema extends z.ZodType
    ? { readonly [K in Key]: z.input<Schema> }
    : never;

/** What a caller passes: the parts the route declares, before parsing. */
export type RouteInput<R extends AnyRoute> =
  R extends Route<infer P, infer Q, infer B>
    ? Part<P, 'params'> & Part<Q, 'query'> & Part<B, 'body'>
    : never;

/** What a handler receives: the parts the route declares, parsed. */
export type RouteRequest<R extends AnyRoute> =
  R extends Route<infer P, infer Q, infer B>
    ? {
        readonly params: z.output<P>;
        readonly query: z.output<Q>;
        readonly body: z.output<B>;
      }
    : never;

export type RouteReply<R extends AnyRoute> =
  R extends Route<z.ZodType, z.ZodType, z.ZodType, infer Reply> ? z.output<Reply> : never;

/** Values that have one obvious text in a URL. */
export type UrlParts = Readonly<Record<string, string | number | boolean | undefined>>;

/** The request line of a call: `:name` filled and the query appended. */
export function routeUrl(path: string, params: UrlParts = {}, query: UrlParts = {}): string {
  const filled = path.replaceAll(/:([a-zA-Z]+)/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? filled : `${filled}?${text}`;
}
