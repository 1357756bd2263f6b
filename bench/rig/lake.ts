import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import type { Analytics } from '../../src/platform/analytics/port.ts';
import { createIds, systemClock } from '../../src/platform/system.ts';

/** Tables and DuckDB as the engine opens them, in this process. */
export interface Lake {
  readonly analytics: Analytics;
  readonly tables: DeltaTables;
  /** Another object over the same files, which knows nothing yet. */
  reopened(): DeltaTables;
}

const MEMORY_BYTES = 4 * 1024 ** 3;

/** One thread, as in the engine, unless told otherwise. */
export async function openLake(folder: string, threads = 1): Promise<Lake> {
  const ids = createIds(systemClock);
  const lakeFolder = join(folder, 'lake');
  mkdirSync(lakeFolder, { recursive: true });
  const analytics = await openDuckDb({
    folders: [folder],
    temporaryFolder: join(folder, 'spill'),
    memoryLimitBytes: MEMORY_BYTES,
    threads,
    ids,
  });
  const reopened = (): DeltaTables =>
    new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids });
  return { analytics, tables: reopened(), reopened };
}
