import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ndjson, openLake, temporaryFolder, type Lake } from '../../../test/contracts/lake.ts';
import { versionModel } from '../../../test/onnx-model.ts';
import { rowsOf } from '../../base/stats/histogram.ts';
import { formatInstant, micros } from '../../base/time.ts';
import { OnnxSession } from '../../platform/inference/onnx-session.ts';
import { scoreOf } from '../predictions/score-of.ts';
import { buildProfile } from './build-profile.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';
import { decodeProfile, encodeProfile, type StoredProfile } from './profile.ts';

const FEATURES = ['a', 'b', 'c'];
const HOURS = 24 * 4;
const { signal } = new AbortController();

/** Four days of rows, one an hour, the last two hours missing; `b` is missing every fourth hour. */
async function trained(lake: Lake): Promise<void> {
  const training = { namespace: 'training_sets', name: 'late_train' };
  await lake.tables.create(training, [
    { name: 'row_id', type: 'long', nullable: false },
    { name: 'T', type: 'timestamp', nullable: false },
    ...FEATURES.map((name) => ({ name, type: 'double', nullable: true }) as const),
    { name: 'label', type: 'double', nullable: false },
  ]);
  const spine = { namespace: 'default', name: 'departures' };
  await lake.tables.create(spine, [
    { name: 'flight_id', type: 'long', nullable: false },
    { name: 'origin', type: 'string', nullable: true },
    { name: 'distance', type: 'integer', nullable: true },
  ]);
  const hours = Array.from({ length: HOURS - 2 }, (_, hour) => hour);
  const rows = hours.map((hour) => ({
    row_id: hour,
    T: formatInstant(micros(10 * DAY_MICROS + hour * HOUR_MICROS)),
    a: hour,
    b: hour % 4 === 0 ? null : 1,
    c: 0,
    label: hour % 2,
  }));
  const departures = hours.map((hour) => ({
    flight_id: hour,
    origin: hour % 3 === 0 ? 'ORD' : 'ATL',
    distance: 100 + hour,
  }));
  await lake.tables.append({ ...training, ndjson: ndjson(...rows) });
  await lake.tables.append({ ...spine, ndjson: ndjson(...departures) });
}

it('tells how features, scores and inputs were distributed, by whole days', async () => {
  const lake = await openLake();
  await trained(lake);
  const modelFile = path.join(temporaryFolder(), 'model.onnx');
  writeFileSync(modelFile, versionModel({ version: 1, weights: [1, 1, 1], missingAsZero: true }));
  const deps = { ...lake, scoreOf, openModel: (file: string) => OnnxSession.open(file) };
  const profile = await buildProfile(
    deps,
    {
      version: 7,
      digest: 'd',
      modelFile,
      training: {
        table: { namespace: 'training_sets', name: 'late_train' },
        tableVersion: 1,
        features: FEATURES,
        definition: 'f',
        spine: {
          table: { namespace: 'default', name: 'departures' },
          tableVersion: 1,
          idColumn: 'flight_id',
          inputs: [
            { name: 'origin', isText: true },
            { name: 'distance', isText: false },
          ],
        },
      },
    },
    signal,
  );
  // The fourth day lacks its last hours.
  expect(profile).toMatchObject({ version: 7, rows: HOURS - 2, days: 3 });
  expect([profile.from, profile.until]).toEqual([10 * DAY_MICROS, 13 * DAY_MICROS]);
  expect(profile.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'distance', 'origin']);
  const [a, b, , , origin] = profile.columns;
  expect([a!.least, a!.greatest]).toEqual([0, HOURS - 3]);
  expect(b!.days.map((day) => day.at(-1))).toEqual([6, 6, 6]);
  expect(origin!.bins).toMatchObject({ kind: 'category', levels: ['ATL', 'ORD'] });
  expect(origin!.days.map((day) => [...day])).toEqual([1, 2, 3].map(() => [16, 8, 0, 0]));
  // a + b, where missing counts as 0.
  expect([profile.score!.least, profile.score!.greatest]).toEqual([0, HOURS - 2]);
  expect(profile.score!.days.map(rowsOf)).toEqual([24, 24, 24]);
  const kept = JSON.parse(JSON.stringify(encodeProfile(profile))) as StoredProfile;
  expect(decodeProfile(kept)).toEqual(profile);
});
