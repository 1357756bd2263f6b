import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { noFaults } from '../src/platform/fault-points.ts';
import { Journal } from '../src/platform/journal/journal.ts';
import { FRAME_HEADER_BYTES, RecordKind } from '../src/platform/journal/segment.ts';
import { silentLog } from '../src/platform/log/log.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { options } from './rig/options.ts';
import { median, round } from './rig/quantile.ts';
import { untilQuiet } from './rig/quiet.ts';
import { keepResult, type Findings } from './rig/result.ts';

/** What a record costs in the prediction journal, beside bare writes of the same bytes. */

/** Records that arrive in one turn of the event loop. */
const BATCHES = [1, 16, 256];
const RECORDS_A_ROUND = 51_200;
const RECORD_BYTES = 1024;

interface Measured {
  readonly round: number;
  readonly batch: number;
  readonly journalUs: number;
  readonly journalCpuUs: number;
  readonly writeUs: number;
  readonly writeCpuUs: number;
}

interface Cost {
  readonly us: number;
  readonly cpuUs: number;
}

/** Wall and CPU time (all threads) a record of a piece of work. */
async function cost(work: () => Promise<void>): Promise<Cost> {
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  await work();
  const us = (performance.now() - begin) * 1000;
  const used = process.cpuUsage(cpu);
  return { us: us / RECORDS_A_ROUND, cpuUs: (used.user + used.system) / RECORDS_A_ROUND };
}

async function throughJournal(journal: Journal, batch: number, record: string): Promise<Cost> {
  const spent = await cost(async () => {
    for (let done = 0; done < RECORDS_A_ROUND; done += batch) {
      const written: Promise<unknown>[] = [];
      for (let index = 0; index < batch; index += 1) {
        written.push(journal.append(RecordKind.prediction, record));
      }
      await Promise.all(written);
    }
  });
  // Sealing, syncing and removing what was written is the engine's part, not the record's.
  const segments = await journal.seal();
  await Promise.all(segments.map((file) => unlink(file)));
  journal.release(segments);
  return spent;
}

/** The floor: one `write` of the same bytes a turn, without frames, promises or fdatasync. */
async function throughWrite(file: string, batch: number): Promise<Cost> {
  const bytes = Buffer.alloc((FRAME_HEADER_BYTES + RECORD_BYTES) * batch, 'x');
  const descriptor = openSync(file, 'w');
  try {
    return await cost(async () => {
      for (let done = 0; done < RECORDS_A_ROUND; done += batch) {
        writeSync(descriptor, bytes);
        await nextTurn();
      }
    });
  } finally {
    closeSync(descriptor);
  }
}

async function measure(on: {
  readonly folder: string;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, rounds, patience } = on;
  const journal = await Journal.open({ folder, writer: 'bench', log: silentLog, faults: noFaults });
  const record = JSON.stringify({ request: 'x'.repeat(RECORD_BYTES - 14) });
  const measured: Measured[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    for (const batch of BATCHES) {
      await untilQuiet(patience);
      const ours = await throughJournal(journal, batch, record);
      const bare = await throughWrite(join(folder, 'bare'), batch);
      say(`  batch ${batch}: ${round(ours.us, 2)} us a record, bare write ${round(bare.us, 2)} us`);
      // The first round warms up.
      if (number === 0) continue;
      measured.push({
        round: number,
        batch,
        journalUs: round(ours.us, 2),
        journalCpuUs: round(ours.cpuUs, 2),
        writeUs: round(bare.us, 2),
        writeCpuUs: round(bare.cpuUs, 2),
      });
    }
  }
  await journal.close();
  return findings(measured);
}

function findings(rounds: readonly Measured[]): Findings {
  const of = (batch: number, what: keyof Measured): number =>
    round(median(rounds.filter((one) => one.batch === batch).map((one) => one[what])), 2);
  return {
    name: 'journal',
    method:
      `Records of ${RECORD_BYTES} bytes appended in batches, each batch in one turn of the event ` +
      `loop and awaited; ${RECORDS_A_ROUND} records a round, fdatasync every 50 ms on another ` +
      'thread as in the server. "write" is the floor: one write() of the same bytes a turn. CPU ' +
      'is of all threads. The first round is dropped.',
    settings: { recordBytes: RECORD_BYTES, recordsARound: RECORDS_A_ROUND, batches: BATCHES },
    versions: {},
    rounds,
    table: BATCHES.map((batch) => ({
      'records a turn': batch,
      'journal us/record': of(batch, 'journalUs'),
      'journal CPU us/record': of(batch, 'journalCpuUs'),
      'write us/record': of(batch, 'writeUs'),
      'write CPU us/record': of(batch, 'writeCpuUs'),
    })),
    budgets: [],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-journal-'));
  try {
    await keepResult(() => measure({ folder, ...options({ rounds: 7, patience: 60 }) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
