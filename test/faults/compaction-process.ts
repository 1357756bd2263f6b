import { mkdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { present } from '../../src/base/assert.ts';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import { faultsFromEnv } from '../../src/platform/fault-points.ts';
import { createIds, processEnv, sleep, systemClock } from '../../src/platform/system.ts';
import { ndjson } from '../contracts/lake.ts';

/**
 * Appends rows one by one, as the engine does, and says of each that it is in. What is merged is
 * merged beside. Arguments: lake, first row, row after the last.
 */

const lakeFolder = present(process.argv[2], 'the lake');
const [first = 0, end = 0] = process.argv.slice(3).map(Number);
const ref = { namespace: 'lab', name: 'rows' };
const spill = path.join(path.dirname(lakeFolder), `spill-${process.pid}`);
mkdirSync(spill, { recursive: true });
const ids = createIds(systemClock);
const analytics = await openDuckDb({
  folders: [lakeFolder],
  temporaryFolder: spill,
  memoryLimitBytes: 512 * 1024 ** 2,
  threads: 1,
  ids,
});
const faults = faultsFromEnv(processEnv['MILLWRIGHT_FAULT']);
const tables = new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids, faults });
await tables.ensure(ref, [{ name: 'id', type: 'long', nullable: false }]);
for (let id = first; id < end; id += 1) {
  const txn = { appId: 'rows', version: id };
  const { version } = await tables.append({ ...ref, ndjson: ndjson({ id }), txn });
  writeSync(1, `${id} ${version}\n`);
}
// Until what was begun is merged; a table with few small files has nothing to merge.
while ((await tables.files(ref)).files.length > 319) await sleep(10);
writeSync(1, 'done\n');
process.exit(0);
