import { expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { LabelSourcesStore, type StoredLabelSource } from './label-sources-store.ts';

const LATE: StoredLabelSource = {
  endpoint: 'late',
  label: 'late',
  source_table: 'default.landings',
  mature_us: 43_200_000_000,
  table_version: 7,
  row_count: 12,
  matched: 5,
  corrected: 1,
  orphans: 6,
  newest_at: micros(983_404_800_000_000),
  error: null,
  updated_wall: micros(1_795_000_000_000_000),
};

eachDatabase((_dialect, open) => {
  test('what the engine told last of an endpoint takes the place of the former', async () => {
    const store = new LabelSourcesStore(await open());
    expect(await store.find('late')).toBeNull();
    await store.put({ ...LATE, table_version: null, newest_at: null });
    await store.put({ ...LATE, endpoint: 'other', label: 'other' });
    await store.put(LATE);
    expect(await store.find('late')).toEqual(LATE);
    await store.put({ ...LATE, label: 'very_late', error: 'no column' });
    expect(await store.find('late')).toMatchObject({ label: 'very_late', error: 'no column' });
    expect(await store.find('other')).toMatchObject({ label: 'other' });
  });
});
