import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import type { AppError } from '../../base/errors.ts';
import { ErrorState } from './error-state.tsx';

interface LoadedProps<Data> {
  readonly query: {
    readonly data: Data | undefined;
    readonly error: AppError | null;
    readonly refetch: () => unknown;
  };
  /** Height to hold free while loading, so that nothing jumps. */
  readonly height?: number;
  readonly children: (data: Data) => ReactNode;
}

/** A query's data once there is some; an error shows only while nothing older can be shown. */
export function Loaded<Data>({ query, height = 120, children }: LoadedProps<Data>): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) {
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  }
  return <Skeleton height={height} aria-label="Loading" />;
}
