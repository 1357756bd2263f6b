import { writeSync } from 'node:fs';
import { present } from '../../src/base/assert.ts';
import { openLmdbWriter } from '../../src/platform/kv/lmdb.ts';

/** Counts up in an LMDB map, in three keys at once, and tells each number that is applied. */

const writer = await openLmdbWriter(present(process.argv[2], 'the folder of the map'));
for (let count = 1; ; count += 1) {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, count);
  await writer.apply(['count', 'twin-a', 'twin-b'].map((key) => ({ key, value })));
  writeSync(1, `${count}\n`);
}
