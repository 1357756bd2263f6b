import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { toAppError, type ErrorBody } from '../../base/errors.ts';
import { every } from '../system.ts';
import type { SqlAnswer } from './port.ts';
import { limitReached, READY, type SqlOrder } from './sql-order.ts';
import { runSql } from './sql-runner.ts';

/**
 * The process of one user's query: its order comes in as JSON, the answer goes out. Whoever started
 * it kills it when its time is up; its memory is limited by the system where that can be
 * (`sql-sandbox.ts`), and watched here where it cannot.
 */
const WATCH_MS = 50;
/** Node and DuckDB themselves. */
const OWN_BYTES = 512 * 1024 ** 2;

let hasReplied = false;

function reply(value: { readonly answer: SqlAnswer } | { readonly error: ErrorBody }): void {
  if (hasReplied) return;
  hasReplied = true;
  process.stdout.write(JSON.stringify(value), die);
}

/** Not `process.exit`, which waits for what still runs in the thread pool. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Before anything else, when the machine itself runs out of memory. */
function preferToDie(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Only Linux has it.
  }
}

preferToDie();
const starter = process.ppid;
const order = JSON.parse(await text(process.stdin)) as SqlOrder;
every(WATCH_MS, () => {
  // Nobody waits for the answer any more.
  if (process.ppid !== starter) die();
  const isTooMuch = process.memoryUsage.rss() > order.limits.memoryBytes + OWN_BYTES;
  if (isTooMuch) reply({ error: limitReached('memory', order.limits).toBody() });
});
process.stdout.write(READY);
try {
  reply({ answer: await runSql(order) });
} catch (thrown) {
  reply({ error: toAppError(thrown).toBody() });
}
