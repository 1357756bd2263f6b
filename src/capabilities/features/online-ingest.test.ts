import { expect, test } from 'vitest';
import { ManualClock } from '../../app/testing.ts';
import { silentLog } from '../../platform/log/log.ts';
import { OnlineIngest } from './online-ingest.ts';

test('nothing is taken, or dropped, before everybody said what they answer with', async () => {
  let asked = 0;
  const ingest = new OnlineIngest({
    engine: { run: () => Promise.reject(new Error('There is nothing to do.')) },
    kv: { get: () => null, peek: () => null },
    events: { consume: (name) => Promise.resolve({ name, stop: () => Promise.resolve() }) },
    clock: new ManualClock(),
    log: silentLog,
    views: () => {
      asked += 1;
      return Promise.resolve([]);
    },
  });
  ingest.request();
  expect(asked).toBe(0);
  await ingest.start();
  expect(asked).toBe(1);
  await ingest.close();
});
