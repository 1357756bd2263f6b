import { AppError } from '../../base/errors.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';

type Files = Awaited<ReturnType<DeltaTables['files']>>;

/** Files of a table that can hold what is asked; null when it is not there or none can. */
export async function filesOf(
  tables: Pick<DeltaTables, 'files'>,
  ref: Parameters<DeltaTables['files']>[0],
  where: Parameters<DeltaTables['files']>[2],
): Promise<Files | null> {
  try {
    const found = await tables.files(ref, undefined, where);
    return found.files.length === 0 ? null : found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
    throw thrown;
  }
}
