import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { present } from '../src/base/assert.ts';
import { formatCommit, type Action } from '../src/formats/delta/actions.ts';
import { writeCheckpoint } from '../src/formats/delta/checkpoint.ts';
import { loadSnapshot } from '../src/formats/delta/load-snapshot.ts';
import { commitName } from '../src/formats/delta/log-names.ts';
import type { TableIo } from '../src/formats/delta/table-io.ts';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { interleaved, middle, type Series } from './rig/interleaved.ts';
import { openLake, type Lake } from './rig/lake.ts';
import { options } from './rig/options.ts';
import { round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** Opening a table of very many files: its log alone is read, its files need not exist. */

const NAMESPACE = 'default';
const FILES_A_COMMIT = 10_000;
/** Commits after the checkpoint, a few files each, as small appends leave them. */
const LATER_COMMITS = 9;
const FILES_LATER = 10;

type Contender = 'checkpoint' | 'commits';

async function measure(on: {
  readonly folder: string;
  readonly files: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, files } = on;
  const lake = await openLake(folder);
  for (const name of ['checkpoint', 'commits'] as const) await makeLog(lake, folder, name, files);
  const open = async (name: Contender) => {
    const begin = performance.now();
    const state = await lake.reopened().describe({ namespace: NAMESPACE, name });
    const seconds = (performance.now() - begin) / 1000;
    const expected = files + LATER_COMMITS * FILES_LATER;
    if (state.files !== expected) throw new Error(`${state.files} files, not ${expected}.`);
    return { seconds };
  };
  const series = await interleaved<Contender>(on, {
    checkpoint: () => open('checkpoint'),
    commits: () => open('commits'),
  });
  await lake.analytics.close();
  return findings(series, files);
}

/** The log that appends of so many files have left; with a checkpoint only where it is named so. */
async function makeLog(
  { tables, analytics }: Lake,
  folder: string,
  name: Contender,
  files: number,
): Promise<void> {
  const columns = ['a', 'b', 'c', 'd'].map((column) => ({
    name: column,
    type: 'double' as const,
    nullable: true,
  }));
  await tables.create({ namespace: NAMESPACE, name }, columns);
  const io = analytics.table(join(folder, 'lake', NAMESPACE, name));
  let version = 0;
  const commit = async (from: number, count: number): Promise<void> => {
    version += 1;
    const adds = Array.from({ length: count }, (_, index) => addFile(from + index));
    if (!(await io.log.putIfAbsent(commitName(version), formatCommit(adds)))) {
      throw new Error(`Version ${version} is there already.`);
    }
  };
  for (let from = 0; from < files; from += FILES_A_COMMIT) {
    await commit(from, Math.min(FILES_A_COMMIT, files - from));
  }
  if (name === 'checkpoint') await checkpoint(io);
  for (let number = 0; number < LATER_COMMITS; number += 1) {
    await commit(files + number * FILES_LATER, FILES_LATER);
  }
}

async function checkpoint(io: TableIo): Promise<void> {
  const snapshot = present(await loadSnapshot(io), 'the table');
  await writeCheckpoint(io, snapshot, 0);
}

function addFile(number: number): Action {
  const path = `part-00000-${String(number).padStart(32, '0')}-c000.zstd.parquet`;
  const bounds = (at: number): string => `{"a":${at},"b":${at * 2},"c":${at / 3},"d":0.5}`;
  const stats =
    `{"numRecords":1000,"minValues":${bounds(number)},"maxValues":${bounds(number + 1)},` +
    '"nullCount":{"a":0,"b":0,"c":0,"d":0}}';
  return {
    add: {
      path,
      partitionValues: {},
      size: 40_000 + (number % 1000),
      modificationTime: 1_700_000_000_000 + number,
      dataChange: true,
      stats,
    },
  };
}

function findings(series: Series<Contender>, files: number): Findings {
  const seconds = (name: Contender): number => round(middle(series[name], 'seconds'), 2);
  return {
    name: 'delta-open',
    method:
      `The newest version of a table of ${files} files with statistics of 4 columns, by an ` +
      'object that has read nothing of it before; the log lies in the memory of the system. ' +
      `"checkpoint": a checkpoint and ${LATER_COMMITS} commits after it, as our tables and ` +
      'others\' are; "commits": the same files in commits alone. DuckDB is open, with one ' +
      'thread. Medians over the rounds, the first dropped.',
    settings: { files, laterCommits: LATER_COMMITS, rounds: series.checkpoint.length, threads: 1 },
    versions: { '@duckdb/node-api': packageVersion('@duckdb/node-api') },
    rounds: series,
    table: [
      { log: 'checkpoint and commits', 'open s': seconds('checkpoint') },
      { log: 'commits alone', 'open s': seconds('commits') },
    ],
    budgets: [
      budgetOf('opening a Delta log of 300,000 files: s', middle(series.checkpoint, 'seconds'), 2),
    ],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-delta-open-'));
  try {
    const given = options({ files: 300_000, rounds: 7, patience: 60 });
    await keepResult(() => measure({ folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
