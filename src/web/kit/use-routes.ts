import { useQueries } from '@tanstack/react-query';
import type { AppError } from '../../base/errors.ts';
import type { AnyRoute, RouteInput, RouteReply } from '../../base/route.ts';
import { call } from './client.ts';
import type { ItemOf, PageReply, RouteOptions } from './use-route.ts';

interface Many<Data> {
  /** In the order asked for; undefined while one has not answered. */
  readonly data: readonly Data[] | undefined;
  readonly error: AppError | null;
  readonly refetch: () => void;
}

/** The replies of one read route for several inputs, each cached as `useRoute` caches it. */
export function useRoutes<R extends AnyRoute>(
  route: R,
  inputs: readonly RouteInput<R>[],
  options: Pick<RouteOptions, 'subjects' | 'pollMs'> = {},
): Many<RouteReply<R>> {
  return useQueries({
    queries: inputs.map((input) => ({
      queryKey: [route.id, input],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => call(route, input, signal),
      meta: { subjects: options.subjects ?? [] },
      refetchInterval: options.pollMs ?? (false as const),
    })),
    combine: joined,
  }) as Many<RouteReply<R>>;
}

/** Items of several lists, each read page by page until it ends or has this many. */
export function useWholeLists<R extends AnyRoute>(
  route: R,
  inputs: readonly (RouteInput<R> & { readonly query: object })[],
  options: Pick<RouteOptions, 'subjects' | 'pollMs'> & { readonly itemsMax: number },
): Many<{ readonly items: readonly ItemOf<R>[]; readonly hasMore: boolean }> {
  const { itemsMax } = options;
  return useQueries({
    queries: inputs.map((input) => ({
      queryKey: [route.id, 'whole', itemsMax, input],
      queryFn: async ({ signal }: { readonly signal: AbortSignal }) => {
        const items: ItemOf<R>[] = [];
        let cursor: string | null = null;
        do {
          const at: object = cursor === null ? {} : { cursor };
          const asked = { ...input, query: { ...input.query, ...at } };
          const page = (await call(route, asked, signal)) as PageReply<ItemOf<R>>;
          items.push(...page.items);
          cursor = page.nextCursor;
        } while (cursor !== null && items.length < itemsMax);
        return { items, hasMore: cursor !== null };
      },
      meta: { subjects: options.subjects ?? [] },
      refetchInterval: options.pollMs ?? (false as const),
    })),
    combine: joined,
  }) as Many<{ readonly items: readonly ItemOf<R>[]; readonly hasMore: boolean }>;
}

interface One {
  readonly data: unknown;
  readonly error: AppError | null;
  readonly refetch: () => unknown;
}

function joined(found: readonly One[]): Many<unknown> {
  const data = found.map((one) => one.data);
  return {
    data: data.includes(undefined) ? undefined : data,
    error: found.find(({ error }) => error !== null)?.error ?? null,
    refetch: () => {
      for (const one of found) one.refetch();
    },
  };
}
