import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryTable } from '../../../test/contracts/memory-table.ts';
import { formatCommit, type Action } from './actions.ts';
import { createTable, redefineEmptyTable } from './create-table.ts';
import { findTxnCommit, readHistory } from './history.ts';
import { loadSnapshot } from './load-snapshot.ts';
import { commitName } from './log-names.ts';
import type { Snapshot } from './snapshot.ts';
import { commitAppend, COMMIT_ATTEMPTS_MAX, type BlindAppend } from './transaction.ts';

const NEW = {
  id: 'an-id',
  columns: [{ name: 'id', type: 'long', nullable: true }],
  timeMs: 1,
  engineInfo: 'test',
} as const;

async function newTable(): Promise<{ table: MemoryTable; snapshot: Snapshot }> {
  const table = new MemoryTable();
  return { table, snapshot: (await createTable(table, NEW))! };
}

function append(path: string, txn?: BlindAppend['txn']): BlindAppend {
  const stats = '{"numRecords":1}';
  return {
    files: [{ path, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true, stats }],
    commitInfo: { operation: 'WRITE', timestamp: 5 },
    timeMs: 5,
    ...(txn === undefined ? {} : { txn }),
  };
}

function write(table: MemoryTable, version: number, actions: readonly Action[]): void {
  table.files.set(commitName(version), formatCommit(actions));
}

describe('a new table', () => {
  test('asks of its readers and writers only what every engine has', async () => {
    const { table } = await newTable();
    const [info, protocol, metadata] = table.files.get(commitName(0))!.trim().split('\n');
    expect(info).toContain('"commitInfo"');
    expect(protocol).toBe('{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}');
    expect(JSON.parse(metadata!)).toEqual({
      metaData: {
        id: 'an-id',
        format: { provider: 'parquet', options: {} },
        schemaString:
          '{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}',
        partitionColumns: [],
        configuration: {},
        createdTime: 1,
      },
    });
  });

  test('is not created over another', async () => {
    const { table } = await newTable();
    expect(await createTable(table, NEW)).toBeNull();
  });

  test('can be given other columns, keeping its identity', async () => {
    const { table, snapshot } = await newTable();
    const columns = [{ name: 'other', type: 'string', nullable: false }] as const;
    await redefineEmptyTable(table, snapshot, { ...NEW, id: 'another', columns });
    const read = await loadSnapshot(table);
    expect(read?.metadata.id).toBe('an-id');
    expect(read?.metadata.schemaString).toContain('"other"');
    await expect(redefineEmptyTable(table, snapshot, NEW)).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
    });
  });
});

describe('a blind append', () => {
  test('says what it did, first in its commit', async () => {
    const { table, snapshot } = await newTable();
    const { snapshot: after } = await commitAppend(
      table,
      snapshot,
      append('a', { appId: 's', version: 4 }),
    );
    expect(after.version).toBe(1);
    expect(table.files.get(commitName(1))!.trim().split('\n')).toEqual([
      '{"commitInfo":{"operation":"WRITE","timestamp":5,"readVersion":0,"isBlindAppend":true}}',
      '{"txn":{"appId":"s","version":4,"lastUpdated":5}}',
      '{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,' +
        '"stats":"{\\"numRecords\\":1}"}}',
    ]);
  });

  test('steps over appends that won the race', async () => {
    const { table, snapshot } = await newTable();
    await commitAppend(table, snapshot, append('winner'));
    await commitAppend(table, snapshot, append('second'));
    const { snapshot: after } = await commitAppend(table, snapshot, append('loser'));
    expect(after.version).toBe(3);
    expect([...after.files.keys()]).toEqual(['winner', 'second', 'loser']);
  });

  test('steps over a compaction that won the race', async () => {
    const { table, snapshot } = await newTable();
    const { snapshot: one } = await commitAppend(table, snapshot, append('a'));
    write(table, 2, [{ remove: { path: 'a', dataChange: false } }, { add: append('b').files[0]! }]);
    const { snapshot: after } = await commitAppend(table, one, append('c'));
    expect([...after.files.keys()]).toEqual(['b', 'c']);
  });

  test('drops itself when its batch is in already', async () => {
    const { table, snapshot } = await newTable();
    const txn = { appId: 's', version: 4 };
    const { snapshot: one } = await commitAppend(table, snapshot, append('a', txn));
    for (const version of [3, 4]) {
      const again = await commitAppend(table, one, append('b', { appId: 's', version }));
      expect(again.isDuplicate).toBe(true);
    }
    // Also when the batch landed after the state it began with.
    expect((await commitAppend(table, snapshot, append('b', txn))).isDuplicate).toBe(true);
    expect((await loadSnapshot(table))?.version).toBe(1);
  });

  test('of another stream with the same number is its own', async () => {
    const { table, snapshot } = await newTable();
    await commitAppend(table, snapshot, append('a', { appId: 's', version: 4 }));
    const other = await commitAppend(table, snapshot, append('b', { appId: 't', version: 4 }));
    expect(other.isDuplicate).toBe(false);
  });

  test.each([
    [
      'metadata',
      {
        metaData: {
          id: 'x',
          format: { provider: 'parquet' },
          schemaString: '{"fields":[]}',
          partitionColumns: [],
        },
      },
    ],
    ['protocol', { protocol: { minReaderVersion: 1, minWriterVersion: 3 } }],
  ] as const)('gives up when a winner changed the %s', async (_, action) => {
    const { table, snapshot } = await newTable();
    write(table, 1, [action]);
    await expect(commitAppend(table, snapshot, append('a'))).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
    });
    expect(table.files.has(commitName(2))).toBe(false);
  });

  test('gives up after a bounded number of lost races', async () => {
    const { table, snapshot } = await newTable();
    let lost = 0;
    table.putIfAbsent = (name) => {
      lost += 1;
      table.files.set(name, formatCommit([{ add: append(`w${lost}`).files[0]! }]));
      return Promise.resolve(false);
    };
    await expect(commitAppend(table, snapshot, append('a'))).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
    });
    expect(lost).toBe(COMMIT_ATTEMPTS_MAX);
  });

  test('never loses or doubles rows, whoever else writes, whatever is sent again', async () => {
    const batches = fc.array(
      fc.record({ stream: fc.nat(2), sends: fc.integer({ min: 1, max: 3 }) }),
      {
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(batches, fc.scheduler(), async (plan, scheduler) => {
        const { table, snapshot } = await newTable();
        const put = table.putIfAbsent.bind(table);
        const read = table.read.bind(table);
        table.putIfAbsent = (name, content) => scheduler.schedule(put(name, content));
        table.read = (name) => scheduler.schedule(read(name));
        const next = new Map<number, number>();
        const streams = new Map<number, (() => Promise<unknown>)[]>();
        for (const [index, { stream, sends }] of plan.entries()) {
          const version = next.get(stream) ?? 0;
          next.set(stream, version + 1);
          const sendAll = () =>
            Promise.all(
              Array.from({ length: sends }, (_, send) =>
                commitAppend(
                  table,
                  snapshot,
                  append(`${index}-${send}`, { appId: `s${stream}`, version }),
                ),
              ),
            );
          streams.set(stream, [...(streams.get(stream) ?? []), sendAll]);
        }
        // One stream's batches come one after the other; streams and repetitions race.
        const done = Promise.all(
          [...streams.values()].map(async (sends) => {
            for (const send of sends) await send();
          }),
        );
        await scheduler.waitFor(done);
        const paths = [...(await readAll(table)).files.keys()];
        const batchesIn = paths.map((path) => Number(path.split('-')[0])).toSorted((a, b) => a - b);
        expect(batchesIn).toEqual(plan.map((_, index) => index));
      }),
      { numRuns: 50 },
    );
  });
});

async function readAll(table: MemoryTable): Promise<Snapshot> {
  const copy = new MemoryTable();
  for (const [name, content] of table.files) copy.files.set(name, content);
  return (await loadSnapshot(copy))!;
}

describe('what a table forbids', () => {
  async function appendTo(protocol: object, metadata: object = {}): Promise<unknown> {
    const { table, snapshot } = await newTable();
    write(table, 1, [
      { protocol: { minReaderVersion: 1, minWriterVersion: 2, ...protocol } },
      { metaData: { ...snapshot.metadata, ...metadata } },
    ]);
    const read = (await loadSnapshot(table))!;
    return await commitAppend(table, read, append('a'));
  }
  const features = (reader: string[], writer: string[]) => ({
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: reader,
    writerFeatures: [...reader, ...writer],
  });
  const refused = { code: 'TABLE_FEATURE_UNSUPPORTED' };
  const cannotBeRead = { ...refused, message: expect.stringContaining('cannot be read') };
  const isReadOnly = { ...refused, message: expect.stringContaining('read-only') };

  test.each([
    [{ minReaderVersion: 4, minWriterVersion: 7 }],
    [features(['deletionVectors'], [])],
    [features(['v2Checkpoint'], [])],
    [features(['novelty'], [])],
  ])('%j: it cannot be read', async (protocol) => {
    await expect(appendTo(protocol)).rejects.toMatchObject(cannotBeRead);
  });

  test.each([
    [{ minWriterVersion: 6 }],
    [{ minWriterVersion: 8 }],
    [{ minWriterVersion: 7, writerFeatures: ['rowTracking'] }],
    [{ minWriterVersion: 7, writerFeatures: ['inCommitTimestamp'] }],
    [{ minWriterVersion: 7, writerFeatures: ['novelty'] }],
  ])('%j: it is read-only', async (protocol) => {
    await expect(appendTo(protocol)).rejects.toMatchObject(isReadOnly);
  });

  test.each([
    [features(['timestampNtz'], ['appendOnly', 'invariants', 'checkConstraints'])],
    [{ minReaderVersion: 2, minWriterVersion: 5 }],
    [{ minWriterVersion: 4 }],
  ])('%j, but nothing that uses it: it can be appended to', async (protocol) => {
    await expect(appendTo(protocol)).resolves.toMatchObject({ isDuplicate: false });
  });

  const field = (metadata: object) => ({
    schemaString: JSON.stringify({
      type: 'struct',
      fields: [{ name: 'id', type: 'long', nullable: true, metadata }],
    }),
  });

  test.each([
    [{ configuration: { 'delta.constraints.positive': 'id > 0' } }],
    [{ partitionColumns: ['id'] }],
    [field({ 'delta.invariants': '{}' })],
    [field({ 'delta.generationExpression': 'x' })],
    [field({ 'delta.identity.start': 1 })],
  ])('%j: it is read-only', async (metadata) => {
    await expect(appendTo({}, metadata)).rejects.toMatchObject(isReadOnly);
  });

  test('column mapping in use: it cannot be read', async () => {
    const metadata = { configuration: { 'delta.columnMapping.mode': 'name' } };
    const protocol = { minReaderVersion: 2, minWriterVersion: 5 };
    await expect(appendTo(protocol, metadata)).rejects.toMatchObject(cannotBeRead);
  });
});

describe('the history', () => {
  test('lists commits newest first, page by page', async () => {
    const { table, snapshot } = await newTable();
    const { snapshot: one } = await commitAppend(table, snapshot, append('a'));
    await commitAppend(table, one, append('b'));
    write(table, 3, [{ remove: { path: 'a', dataChange: true } }]);
    const first = await readHistory(table, { limit: 2 });
    expect(first).toEqual([
      {
        version: 3,
        committedMs: 0,
        operation: 'UNKNOWN',
        rowsAdded: 0,
        rowsRemoved: 1,
        filesAdded: 0,
        filesRemoved: 1,
        changesRows: true,
        changesColumns: false,
        user: null,
        app: null,
        engine: null,
      },
      {
        version: 2,
        committedMs: 5,
        operation: 'WRITE',
        rowsAdded: 1,
        rowsRemoved: 0,
        filesAdded: 1,
        filesRemoved: 0,
        changesRows: true,
        changesColumns: false,
        user: null,
        app: null,
        engine: null,
      },
    ]);
    const rest = await readHistory(table, { before: 2, limit: 9 });
    expect(rest.map(({ version }) => version)).toEqual([1, 0]);
  });

  test('counts no rows for a compaction', async () => {
    const { table } = await newTable();
    write(table, 1, [{ add: { ...append('a').files[0]!, dataChange: false } }]);
    expect(await readHistory(table, { limit: 1 })).toMatchObject([{ rowsAdded: 0, filesAdded: 1 }]);
  });

  test('finds the commit of a batch', async () => {
    const { table, snapshot } = await newTable();
    let state = snapshot;
    for (const version of [3, 5, 8]) {
      state = (await commitAppend(table, state, append(`f${version}`, { appId: 's', version })))
        .snapshot;
    }
    const find = (txnVersion: number, limit = 100) =>
      findTxnCommit(table, { appId: 's', txnVersion, newest: 3, limit });
    expect(await find(5)).toEqual({ version: 2, rowsAdded: 1 });
    expect(await find(4)).toBeNull();
    expect(await find(3, 2)).toBeNull();
  });
});
