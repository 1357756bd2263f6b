import type { AppError } from '../../base/errors.ts';

export interface Query<Data> {
  readonly data: Data | undefined;
  readonly error: AppError | null;
  readonly refetch: () => unknown;
}

type DataOf<Queries extends readonly Query<unknown>[]> = {
  readonly [K in keyof Queries]: Queries[K] extends Query<infer Data>
    ? Exclude<Data, undefined>
    : never;
};

/** Several queries as one, for what can only be shown when all of them have answered. */
export function together<const Queries extends readonly Query<unknown>[]>(
  ...queries: Queries
): Query<DataOf<Queries>> {
  const data = queries.map((query) => query.data);
  return {
    data: data.includes(undefined) ? undefined : (data as unknown as DataOf<Queries>),
    error: queries.find(({ error }) => error !== null)?.error ?? null,
    refetch: () => Promise.all(queries.map((query) => query.refetch())),
  };
}
