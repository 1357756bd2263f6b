import type { Column } from '../../formats/delta/schema.ts';
import type { ScanFile, Scratch } from '../../platform/analytics/port.ts';

/** Files that one statement reads: far more of them take longer each, and all memory at once. */
const FILES_AT_ONCE = 512;

interface RowsToInsert {
  readonly files: readonly ScanFile[];
  readonly columns: readonly Column[];
  /** Default: all columns. */
  readonly select?: string;
  readonly where?: string;
}

/** Adds rows of files in their order, so that a later row has a higher row id. */
export async function insertRows(
  scratch: Scratch,
  table: string,
  { files, columns, select = '*', where = 'true' }: RowsToInsert,
): Promise<void> {
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const rows = scratch.rowsOf(files.slice(start, start + FILES_AT_ONCE), columns);
    await scratch.run(
      `INSERT INTO ${table} SELECT ${select} FROM (${rows}) AS rows WHERE ${where}`,
    );
  }
}
