import { expect, it, vi } from 'vitest';
import { ndjson, openLake } from '../../../test/contracts/lake.ts';
import type { AddFile } from '../../formats/delta/actions.ts';
import { filesToMerge } from './compaction.ts';

const REF = { namespace: 'lab', name: 'rows' };
const APPENDS = 420;

function files(sizes: readonly number[]): AddFile[] {
  return sizes.map((size, index) => ({
    path: `${index}`,
    partitionValues: {},
    size,
    modificationTime: 0,
    dataChange: true,
  }));
}

function many(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}

it('merges what many appends left; order, versions and what was added stay', async () => {
  const { tables, analytics } = await openLake();
  await tables.create(REF, [{ name: 'id', type: 'long', nullable: true }]);
  const all = Array.from({ length: APPENDS }, (_, id) => id);
  for (const id of all) await tables.append({ ...REF, ndjson: ndjson({ id }) });
  await vi.waitUntil(async () => (await tables.files(REF)).files.length < APPENDS, 20_000);
  const { files: merged, columns, version } = await tables.files(REF);
  expect(merged.length).toBeLessThanOrEqual(APPENDS - 255);
  expect(version).toBeGreaterThan(APPENDS);

  const idsOf = async (of: typeof merged): Promise<unknown[]> => {
    const page = { columns, offset: 0, limit: APPENDS + 1 };
    return (await analytics.scan({ ...page, files: of })).map(([id]) => id);
  };
  expect(await idsOf(merged)).toEqual(all);
  expect(await idsOf((await tables.files(REF, 100)).files)).toEqual(all.slice(0, 100));
  const { rows } = await tables.rows(REF, { offset: 0, limit: APPENDS });
  expect(rows.map(([id]) => id).toSorted((a, b) => Number(a) - Number(b))).toEqual(all);

  // Who follows the table from anywhere gets each row once, from the file it came in.
  const follow = async (after: number) =>
    (await tables.additionsAfter(REF, { version: after, limit: 10_000 }))!;
  for (const after of [0, 57]) {
    const additions = await follow(after);
    expect(await idsOf(additions.flatMap(({ files: added }) => added))).toEqual(all.slice(after));
    expect(additions.at(-1)?.version).toBe(version);
  }
  expect(await follow(version)).toEqual([]);
  const history = await tables.history(REF, { limit: 500 });
  expect(history.map(({ operation }) => operation)).toContain('OPTIMIZE');
}, 60_000);

it('takes runs of small files only, and leaves the newest', () => {
  const small = many(300, 1000);
  expect(filesToMerge(files([...small, ...many(64, 1)])).map(({ path }) => path)).toEqual(
    small.map((_, index) => `${index}`),
  );
  expect(filesToMerge(files(many(300, 1000)))).toEqual([]);
  const broken = [...many(200, 1), 2 ** 21, ...many(200, 1), ...many(64, 1)];
  expect(filesToMerge(files(broken))).toEqual([]);
  const later = [2 ** 21, ...many(260, 1), 2 ** 21, ...many(64, 1)];
  expect(filesToMerge(files(later))).toHaveLength(260);
  expect(filesToMerge(files(many(5000, 1)))).toHaveLength(1024);
  const partitioned = files(many(400, 1)).map((file) => ({ ...file, partitionValues: { p: '1' } }));
  expect(filesToMerge(partitioned)).toEqual([]);
});
