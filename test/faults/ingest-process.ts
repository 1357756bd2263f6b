import { mkdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { present } from '../../src/base/assert.ts';
import { micros } from '../../src/base/time.ts';
import { FeatureIngest } from '../../src/capabilities/features/ingest.ts';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import { faultsFromEnv } from '../../src/platform/fault-points.ts';
import { openLmdbWriter } from '../../src/platform/kv/lmdb.ts';
import { createIds, processEnv, systemClock } from '../../src/platform/system.ts';
import { flightService } from '../contracts/landings.ts';

/** Takes what is in the lake into the online store until nothing is left, as the engine does. */

const root = present(process.argv[2], 'the folder');
const now = micros(Number(present(process.argv[3], 'the domain time')));
const spill = path.join(root, `spill-${process.pid}`);
mkdirSync(spill, { recursive: true });
const ids = createIds(systemClock);
const lakeFolder = path.join(root, 'lake');
const analytics = await openDuckDb({
  folders: [lakeFolder],
  temporaryFolder: spill,
  memoryLimitBytes: 512 * 1024 ** 2,
  threads: 1,
  ids,
});
const ingest = new FeatureIngest({
  tables: new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids }),
  analytics,
  kv: await openLmdbWriter(path.join(root, 'online')),
  clock: systemClock,
  faults: faultsFromEnv(processEnv['MILLWRIGHT_FAULT']),
});
const { signal } = new AbortController();
const { views } = flightService();
writeSync(1, 'begins\n');
for (;;) {
  const { done, failures } = await ingest.run({ views, now }, signal);
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  if (done) break;
}
writeSync(1, 'done\n');
process.exit(0);
