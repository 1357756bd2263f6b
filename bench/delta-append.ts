import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '../src/platform/analytics/port.ts';
import type { Column } from '../src/formats/delta/schema.ts';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { interleaved, middle, type Series } from './rig/interleaved.ts';
import { openLake, type Lake } from './rig/lake.ts';
import { options } from './rig/options.ts';
import { round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** A large append to a Delta table beside DuckDB's own COPY of the same rows. */

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'value', type: 'double', nullable: true },
  { name: 'place', type: 'string', nullable: true },
];

type Contender = 'append' | 'copy';

async function measure(on: {
  readonly folder: string;
  readonly rows: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, rows } = on;
  const lake = await openLake(folder);
  const series = await lake.analytics.scratch(async (scratch) => {
    const source = scratch.table('source');
    await scratch.run(
      `CREATE TABLE ${source} AS SELECT i AS id, make_timestamptz(1000000 * i) AS at, ` +
        `(hash(i) % 1000000) / 1000.0 AS value, 'place-' || hash(i * 3) % 5000 AS place ` +
        `FROM range(${rows}) AS r(i)`,
    );
    return await interleaved<Contender>(on, {
      append: (number) => append(lake, source, number),
      copy: (number) => copy(scratch, source, join(folder, `copy-${number}.parquet`)),
    });
  });
  await lake.analytics.close();
  return findings(series, rows);
}

async function append({ tables }: Lake, source: string, number: number) {
  const ref = { namespace: 'default', name: `rows_${number}` };
  await tables.create(ref, COLUMNS);
  const begin = performance.now();
  await tables.append({ ...ref, select: `SELECT * FROM ${source}` });
  const seconds = (performance.now() - begin) / 1000;
  const { files } = await tables.files(ref);
  const [file] = files;
  const megabytes = statSync(file!.path).size / 1e6;
  // One version is enough to look at; hundreds of megabytes each.
  for (const { path } of files) rmSync(path);
  return { seconds, megabytes };
}

async function copy(scratch: Scratch, source: string, file: string) {
  const begin = performance.now();
  await scratch.run(
    `COPY (SELECT * FROM ${source}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`,
  );
  const seconds = (performance.now() - begin) / 1000;
  const megabytes = statSync(file).size / 1e6;
  rmSync(file);
  return { seconds, megabytes };
}

function findings(series: Series<Contender>, rows: number): Findings {
  const [ours, theirs] = [middle(series.append, 'seconds'), middle(series.copy, 'seconds')];
  const line = (name: Contender, title: string) => ({
    write: title,
    seconds: round(middle(series[name], 'seconds'), 2),
    MB: round(middle(series[name], 'megabytes'), 0),
    'rows/s': Math.round(rows / middle(series[name], 'seconds')),
  });
  return {
    name: 'delta-append',
    method:
      `${rows} rows of 4 columns (id, time, number, one of 5,000 texts) from a table in memory. ` +
      '"append" writes a Parquet file with statistics, syncs it and commits it to a new Delta ' +
      'table; "copy" is DuckDB\'s COPY of the same rows by the same DuckDB, zstd as well, not ' +
      'synced. One thread, as in the engine. Medians over the rounds, the first dropped.',
    settings: { rows, rounds: series.append.length, threads: 1 },
    versions: { '@duckdb/node-api': packageVersion('@duckdb/node-api') },
    rounds: series,
    table: [line('append', 'append to a Delta table'), line('copy', 'COPY to a Parquet file')],
    budgets: [
      budgetOf(
        "append of 10 M rows x 4 columns to a Delta table: time as times DuckDB's COPY",
        ours / theirs,
        2,
      ),
    ],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-delta-append-'));
  try {
    const given = options({ rows: 10_000_000, rounds: 5, patience: 60 });
    await keepResult(() => measure({ folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
