import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryTable } from '../../../test/contracts/memory-table.ts';
import { formatCommit, type Action, type AddFile, type RemoveFile } from './actions.ts';
import { intervalMs, isCheckpointDue, writeCheckpoint } from './checkpoint.ts';
import { createTable } from './create-table.ts';
import { loadSnapshot, refreshSnapshot } from './load-snapshot.ts';
import { checkpointName, commitName, LAST_CHECKPOINT } from './log-names.ts';
import type { Snapshot } from './snapshot.ts';

const COLUMNS = [{ name: 'id', type: 'long', nullable: true }] as const;

function add(path: string, rows = 1): { add: AddFile } {
  const stats = `{"numRecords":${rows}}`;
  return { add: { path, size: 10, modificationTime: 1, dataChange: true, stats } };
}

function remove(path: string): { remove: RemoveFile } {
  return { remove: { path, deletionTimestamp: 1, dataChange: true } };
}

async function newTable(): Promise<{ table: MemoryTable; snapshot: Snapshot }> {
  const table = new MemoryTable();
  const snapshot = await createTable(table, {
    id: 'an-id',
    columns: COLUMNS,
    timeMs: 1,
    engineInfo: 'test',
  });
  return { table, snapshot: snapshot! };
}

async function tableWithCommits(commits: number): Promise<MemoryTable> {
  const { table } = await newTable();
  for (let version = 1; version <= commits; version += 1) {
    table.files.set(commitName(version), formatCommit([add(`f${version}`)]));
  }
  return table;
}

async function checkpoint(table: MemoryTable, version: number): Promise<void> {
  await writeCheckpoint(table, (await loadSnapshot(table, version))!, 2);
}

/** What a reader can tell apart. */
function content(snapshot: Snapshot | null): unknown {
  if (snapshot === null) return null;
  return {
    version: snapshot.version,
    files: [...snapshot.files.keys()].toSorted(),
    txns: Object.fromEntries([...snapshot.txns].map(([appId, { version }]) => [appId, version])),
    rows: snapshot.countedRows,
    sizeBytes: snapshot.sizeBytes,
    schema: snapshot.metadata.schemaString,
  };
}

/** A commit of a random history: what it adds, which live files it removes, its batch. */
const commitPlan = fc.record({
  adds: fc.array(fc.nat(1000), { maxLength: 4 }),
  removes: fc.array(fc.nat(10), { maxLength: 2 }),
  txn: fc.option(fc.record({ appId: fc.constantFrom('a', 'b'), version: fc.nat(100) })),
  isCheckpointed: fc.boolean(),
});

test('any history reads as the naive replay of its commits, at every version', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commitPlan, { maxLength: 12 }), async (plans) => {
      const { table, snapshot: created } = await newTable();
      const live = new Map<string, number>();
      const txns = new Map<string, number>();
      const expected: unknown[] = [content(created)];
      let warm = created;
      for (const [index, plan] of plans.entries()) {
        const version = index + 1;
        const actions: Action[] = [];
        for (const pick of plan.removes) {
          const path = [...live.keys()][pick];
          if (path === undefined || !live.delete(path)) continue;
          actions.push(remove(path));
        }
        for (const [number, rows] of plan.adds.entries()) {
          const path = `v${version}-${number}`;
          live.set(path, rows);
          actions.push(add(path, rows));
        }
        if (plan.txn !== null) {
          txns.set(plan.txn.appId, plan.txn.version);
          actions.push({ txn: plan.txn });
        }
        table.files.set(commitName(version), formatCommit(actions));
        expected.push({
          version,
          files: [...live.keys()].toSorted(),
          txns: Object.fromEntries(txns),
          rows: [...live.values()].reduce((sum, rows) => sum + rows, 0),
          sizeBytes: live.size * 10,
          schema: created.metadata.schemaString,
        });
        if (plan.isCheckpointed) await checkpoint(table, version);
        warm = (await refreshSnapshot(table, warm))!;
        expect(content(warm)).toEqual(expected.at(-1));
      }
      for (const [version, state] of expected.entries()) {
        expect(content(await loadSnapshot(table, version))).toEqual(state);
      }
      expect(content(await loadSnapshot(table))).toEqual(expected.at(-1));
    }),
  );
});

describe('a log', () => {
  test('that is not there holds no table', async () => {
    expect(await loadSnapshot(new MemoryTable())).toBeNull();
  });

  test('ignores actions, fields and files it does not know', async () => {
    const { table } = await newTable();
    table.files.set(
      commitName(1),
      '{"novelty":{"x":1}}\n\n{"add":{"path":"a","size":1,"modificationTime":1,"dataChange":true,' +
        '"tags":null,"future":{"y":2}}}\n{"cdc":{"path":"_change_data/x"}}',
    );
    table.files.set('00000000000000000001.crc', 'x');
    table.files.set('00000000000000000000.00000000000000000001.compacted.json', 'x');
    table.files.set('.00000000000000000002.json.tmp_1.tmp', 'x');
    const snapshot = await loadSnapshot(table);
    expect(snapshot?.version).toBe(1);
    expect([...snapshot!.files.keys()]).toEqual(['a']);
    expect(snapshot?.uncountedFiles).toBe(1);
  });

  test('with a missing commit is corrupt, and says which', async () => {
    const table = await tableWithCommits(5);
    table.files.delete(commitName(3));
    await expect(loadSnapshot(table)).rejects.toMatchObject({
      code: 'TABLE_CORRUPT',
      message: `The table lacks commit ${commitName(3)}.`,
    });
  });

  test('with a commit missing after its checkpoint is corrupt', async () => {
    const table = await tableWithCommits(15);
    await checkpoint(table, 10);
    table.files.delete(commitName(12));
    await expect(loadSnapshot(table)).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
    expect((await loadSnapshot(table, 11))?.version).toBe(11);
  });

  test.each([
    ['{"add":{"path":"a","size":1', 'not JSON'],
    ['{"add":{"size":1}}', 'an add without path or size'],
    ['{"txn":{"appId":"a"}}', 'a txn without appId or version'],
    ['{"metaData":{"id":"x"}}', 'a metaData without id or schemaString'],
    ['7', 'no action'],
  ])('with the line %s is corrupt, and says where', async (line, what) => {
    const { table } = await newTable();
    table.files.set(commitName(1), `${formatCommit([add('ok')])}${line}\n`);
    await expect(loadSnapshot(table)).rejects.toMatchObject({
      code: 'TABLE_CORRUPT',
      message: `${commitName(1)}, line 2: ${what}.`,
    });
  });

  test('refuses a version it does not have, and one that was cleaned up', async () => {
    const table = await tableWithCommits(12);
    await checkpoint(table, 10);
    for (let version = 0; version < 10; version += 1) table.files.delete(commitName(version));
    expect((await loadSnapshot(table))?.files.size).toBe(12);
    expect((await loadSnapshot(table, 10))?.files.size).toBe(10);
    for (const version of [9, 13]) {
      await expect(loadSnapshot(table, version)).rejects.toMatchObject({
        code: 'TABLE_VERSION_NOT_FOUND',
      });
    }
  });
});

describe('a checkpoint', () => {
  test.each([
    ['missing', null],
    ['not JSON', '{"version":'],
    ['of another form', '{"version":"ten"}'],
    ['pointing at a checkpoint that is gone', '{"version":7,"size":1}'],
    ['pointing past the newest version', '{"version":99,"size":1}'],
    ['stale', '{"version":5,"size":1}'],
  ])('is found when _last_checkpoint is %s', async (_, hint) => {
    const table = await tableWithCommits(12);
    await checkpoint(table, 5);
    await checkpoint(table, 10);
    const expected = content(await loadSnapshot(table));
    if (hint === null) table.files.delete(LAST_CHECKPOINT);
    else table.files.set(LAST_CHECKPOINT, hint);
    const snapshot = await loadSnapshot(table);
    expect(content(snapshot)).toEqual(expected);
    expect(snapshot?.checkpointVersion).toBe(10);
  });

  test('that cannot be read is passed over for an older one, or for the commits', async () => {
    const table = await tableWithCommits(12);
    await checkpoint(table, 5);
    await checkpoint(table, 10);
    const expected = content(await loadSnapshot(table));
    table.files.set(checkpointName(10), 'garbage');
    const older = await loadSnapshot(table);
    expect(content(older)).toEqual(expected);
    expect(older?.checkpointVersion).toBe(5);
    table.files.set(checkpointName(5), 'garbage');
    const none = await loadSnapshot(table);
    expect(content(none)).toEqual(expected);
    expect(none?.checkpointVersion).toBeNull();
  });

  test('that cannot be read and has nothing before it makes the table corrupt', async () => {
    const table = await tableWithCommits(12);
    await checkpoint(table, 10);
    for (let version = 0; version <= 10; version += 1) table.files.delete(commitName(version));
    table.files.set(checkpointName(10), 'garbage');
    await expect(loadSnapshot(table)).rejects.toMatchObject({
      code: 'TABLE_CORRUPT',
      message: `The checkpoint ${checkpointName(10)} cannot be read.`,
    });
  });

  test('in parts is read when all parts are there, and ignored when one is missing', async () => {
    const table = await tableWithCommits(6);
    await checkpoint(table, 5);
    const lines = table.files.get(checkpointName(5))!.split('\n');
    table.files.delete(checkpointName(5));
    const part = (number: number) =>
      `${'5'.padStart(20, '0')}.checkpoint.000000000${number}.0000000002.parquet`;
    table.files.set(part(1), lines.slice(0, 3).join('\n'));
    expect((await loadSnapshot(table))?.checkpointVersion).toBeNull();
    table.files.set(part(2), lines.slice(3).join('\n'));
    const snapshot = await loadSnapshot(table);
    expect(snapshot?.checkpointVersion).toBe(5);
    expect(snapshot?.files.size).toBe(6);
  });

  test('keeps tombstones for their retention, and no longer', async () => {
    const { table } = await newTable();
    table.files.set(commitName(1), formatCommit([add('a')]));
    table.files.set(commitName(2), formatCommit([remove('a')]));
    const snapshot = (await loadSnapshot(table))!;
    const week = 7 * 24 * 3600 * 1000;
    await writeCheckpoint(table, snapshot, week);
    expect(table.files.get(checkpointName(2))).toContain('"remove"');
    table.files.delete(checkpointName(2));
    await writeCheckpoint(table, snapshot, week + 2);
    expect(table.files.get(checkpointName(2))).not.toContain('"remove"');
  });

  test('holds no tombstone of a file that was added again', async () => {
    const { table } = await newTable();
    table.files.set(commitName(1), formatCommit([add('a')]));
    table.files.set(commitName(2), formatCommit([remove('a')]));
    table.files.set(commitName(3), formatCommit([add('a')]));
    await writeCheckpoint(table, (await loadSnapshot(table))!, 2);
    expect(table.files.get(checkpointName(3))).not.toContain('"remove"');
  });

  test('is due ten commits after the last, or as many as the table says', async () => {
    const { snapshot } = await newTable();
    const due = (version: number, checkpointVersion: number | null, configuration = {}) => {
      const metadata = { ...snapshot.metadata, configuration };
      return isCheckpointDue({ ...snapshot, version, checkpointVersion, metadata });
    };
    expect([0, 9, 10, 11].map((version) => due(version, null))).toEqual([false, false, true, true]);
    expect([19, 20, 21].map((version) => due(version, 10))).toEqual([false, true, true]);
    expect(due(5, null, { 'delta.checkpointInterval': '5' })).toBe(true);
    expect(due(10, null, { 'delta.checkpointInterval': 'never' })).toBe(true);
    const files = new Map(Array.from({ length: 400 }, (_, index) => [`f${index}`, add('f').add]));
    const many = (version: number) =>
      isCheckpointDue({ ...snapshot, version, checkpointVersion: null, files });
    expect([19, 20].map(many)).toEqual([false, true]);
    const tombstones = new Map([...files.keys()].map((path) => [path, remove(path).remove]));
    const removed = (version: number) =>
      isCheckpointDue({ ...snapshot, version, checkpointVersion: null, files, tombstones });
    expect([39, 40].map(removed)).toEqual([false, true]);
  });

  test('reads intervals as Spark writes them', () => {
    expect(intervalMs('interval 1 week')).toBe(604_800_000);
    expect(intervalMs('INTERVAL 30 days')).toBe(2_592_000_000);
    expect(intervalMs('2 hours')).toBe(7_200_000);
    expect(intervalMs('interval 1 fortnight')).toBeNull();
  });
});

test('a state whose own commit has vanished is read anew', async () => {
  const table = await tableWithCommits(3);
  const snapshot = (await loadSnapshot(table))!;
  table.files.delete(commitName(3));
  expect((await refreshSnapshot(table, snapshot))?.version).toBe(2);
});
