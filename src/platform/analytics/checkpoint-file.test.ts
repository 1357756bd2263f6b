import * as fc from 'fast-check';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openLake } from '../../../test/contracts/lake.ts';
import type { AddFile, RemoveFile, Txn } from '../../formats/delta/actions.ts';
import { writeCheckpoint } from '../../formats/delta/checkpoint.ts';
import { loadSnapshot } from '../../formats/delta/load-snapshot.ts';
import { Replay, type Snapshot } from '../../formats/delta/snapshot.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const size = fc.nat(Number.MAX_SAFE_INTEGER);
const map = fc.dictionary(text, fc.option(text, { freq: 3 }), {
  maxKeys: 2,
  noNullPrototype: true,
});

const addFile = fc.record({
  path: fc.oneof(
    fc.uuid(),
    fc.uuid({ version: 4 }).map((id) => `${id}\n`),
  ),
  partitionValues: fc.oneof(
    { weight: 9, arbitrary: fc.constant<Record<string, string | null>>({}) },
    map,
  ),
  size,
  modificationTime: size,
  dataChange: fc.constant(false),
  stats: fc.option(fc.constantFrom('{"numRecords":3}', '{\n"numRecords": 4}', '{"a":"\\n😀"}')),
  tags: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    map.filter((tags) => Object.keys(tags).length > 0),
  ),
}) as fc.Arbitrary<AddFile>;
const removeFile: fc.Arbitrary<RemoveFile> = fc.record({
  path: fc.uuid(),
  deletionTimestamp: fc.nat(1000),
  dataChange: fc.constant(false),
  extendedFileMetadata: fc.option(fc.boolean(), { nil: undefined }),
  size: fc.option(size, { nil: undefined }),
}) as fc.Arbitrary<RemoveFile>;
const txn: fc.Arbitrary<Txn> = fc.record({ appId: text, version: size, lastUpdated: size });

function byKey<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  return new Map(items.map((item) => [keyOf(item), item]));
}

/** Without the fields whose absence means the same as null. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, field: unknown) => field ?? undefined));
}

/** `partitionValues` and `tags` hold nulls that mean something; compared as they are. */
function content(snapshot: Snapshot): unknown {
  return {
    protocol: snapshot.protocol.minWriterVersion,
    metadata: plain(snapshot.metadata),
    files: [...snapshot.files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    tombstones: plain([...snapshot.tombstones.values()]),
    txns: [...snapshot.txns.values()],
    rows: snapshot.countedRows,
  };
}

test('a checkpoint gives back the state it was written from', async () => {
  const lake = await openLake();
  await lake.tables.create({ namespace: 'x', name: 'base' }, []);
  const base = (await loadSnapshot(lake.analytics.table(`${lake.folder}/x/base`)))!;
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(addFile, { maxLength: 5 }),
      fc.array(removeFile, { maxLength: 3 }),
      fc.array(txn, { maxLength: 3 }),
      map.filter((values) => !Object.values(values).includes(null)),
      async (files, tombstones, txns, configuration) => {
        round += 1;
        const io = lake.analytics.table(path.join(lake.folder, `t${round}`));
        await io.log.putIfAbsent('00000000000000000001.json', '');
        const replay = new Replay({
          ...base,
          metadata: { ...base.metadata, configuration: configuration as Record<string, string> },
          tombstones: byKey(tombstones, (tombstone) => tombstone.path),
          txns: byKey(txns, (one) => one.appId),
        });
        replay.apply(files.map((add) => ({ add })));
        const state = replay.finish(1, null);
        await writeCheckpoint(io, state, 0);
        const read = (await loadSnapshot(io))!;
        expect(read.checkpointVersion).toBe(1);
        expect(content(read)).toEqual(content(state));
      },
    ),
    { numRuns: 40 },
  );
});

test('a checkpoint of many files keeps each of them', async () => {
  const lake = await openLake();
  const ref = { namespace: 'x', name: 'many' };
  await lake.tables.create(ref, []);
  const io = lake.analytics.table(`${lake.folder}/x/many`);
  const base = (await loadSnapshot(io))!;
  const files = Array.from({ length: 20_000 }, (_, index) => ({
    path: `f${index}`,
    partitionValues: index === 9000 ? { p: null } : {},
    size: index,
    modificationTime: index,
    dataChange: false,
    stats: index === 11 ? null : `{"numRecords":${index}}`,
    tags: null,
  }));
  const state = { ...base, version: 1, files: byKey(files, (file) => file.path) };
  await writeCheckpoint(io, state, 0);
  const read = (await loadSnapshot(io, 1))!;
  expect([...read.files.values()]).toEqual(files);
  expect(read.uncountedFiles).toBe(1);
});
