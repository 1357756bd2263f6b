import {
  QueryClient,
  useInfiniteQuery,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useMemo } from 'react';
import type { AppError } from '../../base/errors.ts';
import type { AnyRoute, RouteInput, RouteReply } from '../../base/route.ts';
import { call } from './client.ts';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: AppError;
    queryMeta: { readonly subjects: readonly string[] };
  }
}

export interface RouteOptions<Reply = never> {
  /**
   * Prefixes of event subjects that make the reply stale (`endpoint/`, `''` for every event);
   * `Live` refetches when one happens.
   */
  readonly subjects?: readonly string[];
  /** Refetch on this period while the page is visible: for numbers that no event tells of. */
  readonly pollMs?: number;
  /** Refetch at once while this holds: for a reply that is made bit by bit. */
  readonly isPartial?: (reply: Reply) => boolean;
  readonly enabled?: boolean;
}

/** Between two bits of a reply. */
const PARTIAL_POLL_MS = 300;

/** The client of the whole page: a failing read is repeated only when it may pass by waiting. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2000,
        retry: (failures, error) => failures < 2 && error.status >= 502,
      },
    },
  });
}

/** The reply of a read route, cached and kept fresh. */
export function useRoute<R extends AnyRoute>(
  route: R,
  input: RouteInput<R>,
  options: RouteOptions<RouteReply<R>> = {},
): UseQueryResult<RouteReply<R>> {
  const { pollMs = false, isPartial = () => false } = options;
  return useQuery<RouteReply<R>>({
    queryKey: [route.id, input],
    queryFn: ({ signal }) => call(route, input, signal),
    meta: { subjects: options.subjects ?? [] },
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && isPartial(data) ? PARTIAL_POLL_MS : pollMs,
    enabled: options.enabled ?? true,
  });
}

export interface PageReply<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export type ItemOf<R extends AnyRoute> = RouteReply<R> extends PageReply<infer Item> ? Item : never;

/** Items of every page fetched so far, and what a list needs to offer more. */
export interface PagedRoute<Item> {
  readonly items: readonly Item[] | undefined;
  readonly error: AppError | null;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
  readonly refetch: () => void;
}

/**
 * A list route read page by page, following its cursor. A refetch repeats every page fetched so
 * far, so pages stay consistent with each other.
 */
export function useRoutePages<R extends AnyRoute>(
  route: R,
  input: RouteInput<R> & { readonly query: object },
  options: RouteOptions = {},
): PagedRoute<ItemOf<R>> {
  const { data, error, ...query } = useInfiniteQuery({
    queryKey: [route.id, 'pages', input],
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const page = { ...input, query: { ...input.query, ...cursor } };
      return (await call(route, page, signal)) as PageReply<ItemOf<R>>;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    meta: { subjects: options.subjects ?? [] },
    refetchInterval: options.pollMs ?? false,
    enabled: options.enabled ?? true,
  });
  const items = useMemo(() => data?.pages.flatMap((page) => page.items), [data]);
  return {
    items,
    error,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
    refetch: () => void query.refetch(),
  };
}
