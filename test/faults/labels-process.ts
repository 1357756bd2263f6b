import { mkdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { present } from '../../src/base/assert.ts';
import type { Micros } from '../../src/base/time.ts';
import type { DeclaredLabel } from '../../src/capabilities/predictions/declared-labels.ts';
import { LabelJoins } from '../../src/capabilities/predictions/join-labels.ts';
import { IndexedKeys } from '../../src/capabilities/predictions/indexed-keys.ts';
import { INDEX_COMPLETE, indexRequests } from '../../src/capabilities/predictions/request-index.ts';
import { DeltaTables } from '../../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../../src/platform/analytics/duckdb.ts';
import { faultsFromEnv } from '../../src/platform/fault-points.ts';
import { openLmdbWriter } from '../../src/platform/kv/lmdb.ts';
import { createIds, processEnv, systemClock } from '../../src/platform/system.ts';

/** Joins what is in the lake to the requests of these numbers, as the engine does. */

const root = present(process.argv[2], 'the folder');
const [label, now, requests] = JSON.parse(present(process.argv[3], 'what to join')) as [
  DeclaredLabel,
  Micros,
  number,
];
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
const index = await openLmdbWriter(path.join(root, 'online'));
const indexed = new IndexedKeys();
const { endpoint } = label;
await indexRequests(
  { index, indexed },
  Array.from({ length: requests }, (_, id) => {
    return { requestId: `req_${id}`, endpoint, tableVersion: null, key: String(id) };
  }),
);
await index.apply([{ key: INDEX_COMPLETE, value: new Uint8Array([1]) }]);
const joins = new LabelJoins({
  tables: new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids }),
  analytics,
  index,
  indexed,
  clock: systemClock,
  faults: faultsFromEnv(processEnv['MILLWRIGHT_FAULT']),
});
const { signal } = new AbortController();
writeSync(1, 'begins\n');
while (!(await joins.run({ label, now, wall: now }, signal)).done);
writeSync(1, 'done\n');
process.exit(0);
