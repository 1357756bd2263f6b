import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import type { Analytics } from '../../src/platform/analytics/port.ts';
import { createIds, systemClock } from '../../src/platform/system.ts';

export interface Lake {
  readonly folder: string;
  readonly analytics: Analytics;
  readonly tables: DeltaTables;
  /** Another process's view of the same folder: nothing shared but the files. */
  another(): DeltaTables;
}

export const ids = createIds(systemClock);

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millwright-lake-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A real lake in a folder of its own, for one test. */
export async function openLake(
  options: { readonly name?: string; readonly memoryLimitBytes?: number } = {},
): Promise<Lake> {
  const { name = 'lake', memoryLimitBytes = 512 * 1024 ** 2 } = options;
  const root = temporaryFolder();
  const folder = path.join(root, name);
  mkdirSync(folder, { recursive: true });
  const analytics = await openDuckDb({
    folders: [folder],
    temporaryFolder: path.join(root, 'spill'),
    memoryLimitBytes,
    threads: 1,
    ids,
  });
  onTestFinished(() => analytics.close());
  const another = () => new DeltaTables({ lakeFolder: folder, analytics, clock: systemClock, ids });
  return { folder, analytics, tables: another(), another };
}

/** Rows as NDJSON bytes. */
export function ndjson(...rows: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
