import type { PagedRoute } from '../../../web/kit/use-route.ts';

/** A list read so far, and how to read on. */
export interface MoreOf<Item> {
  readonly items: readonly Item[];
  readonly more: Pick<PagedRoute<Item>, 'hasMore' | 'isLoadingMore' | 'loadMore'>;
}
