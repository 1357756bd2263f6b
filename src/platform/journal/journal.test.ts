import type { Dirent } from 'node:fs';
import {
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { noFaults } from '../fault-points.ts';
import { silentLog } from '../log/log.ts';
import { sleep } from '../system.ts';
import { Journal, SEQS_PER_SEGMENT } from './journal.ts';
import type { Position } from './read-records.ts';
import { scanSegment } from './scan-segment.ts';
import { decodeSegment, RecordKind, type Segment } from './segment.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-journal-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function open(segmentBytesMax?: number, bytesMax?: number): Promise<Journal> {
  return Journal.open({
    folder,
    writer: 'main',
    log: silentLog,
    faults: noFaults,
    ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }),
    ...(bytesMax === undefined ? {} : { bytesMax }),
  });
}

async function segments(): Promise<readonly Segment[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isSegment = (entry: Dirent): boolean => entry.isFile() && entry.name.endsWith('.seg');
  const files = entries.filter(isSegment).map(({ name }) => name);
  const read = files.sort().map(async (name) => {
    const file = path.join(folder, name);
    return decodeSegment(await readFile(file), file);
  });
  return (await Promise.all(read)).filter((segment) => segment !== null);
}

async function payloads(): Promise<readonly string[]> {
  return (await segments()).flatMap((segment) => segment.records.map((record) => record.payload));
}

describe('Journal', () => {
  test('has a record in the file when its append resolves', async () => {
    const journal = await open();
    const position = await journal.append(RecordKind.prediction, '{"a":"é😀"}');
    expect(await payloads()).toEqual(['{"a":"é😀"}']);
    expect(await journal.read(position)).toBe('{"a":"é😀"}');
    await journal.close();
  });

  test('writes all records of a loop turn in order, whatever their length', async () => {
    const journal = await open();
    const texts = Array.from({ length: 500 }, (_, index) => `${index}:${'x'.repeat(index * 20)}`);
    await Promise.all(texts.map((text) => journal.append(RecordKind.prediction, text)));
    expect(await payloads()).toEqual(texts);
    await journal.close();
  });

  test('names sealed segments until they are released, and goes on in a new one', async () => {
    const journal = await open();
    await journal.append(RecordKind.prediction, 'one');
    const sealed = await journal.seal();
    expect(sealed).toHaveLength(1);
    const position = await journal.append(RecordKind.prediction, 'two');
    expect(position.segment).not.toBe(sealed[0]);
    expect(position.seq).toBe(SEQS_PER_SEGMENT);
    journal.release(sealed);
    expect(await journal.seal()).toEqual([position.segment]);
    await journal.close();
  });

  test('keeps records in the segment they have a number of, however sealing falls', async () => {
    const journal = await open();
    const written: Promise<{ text: string; position: Position }>[] = [];
    for (let round = 1; round <= 30; round += 1) {
      await journal.append(RecordKind.prediction, `first of ${round}`);
      const sealed = new AbortController();
      const sealing = journal.seal().finally(() => {
        sealed.abort();
      });
      // Each stat ends in another phase of the loop than the last: some right before the seal.
      while (!sealed.signal.aborted) {
        await stat(folder);
        const text = `${round}:${written.length}`;
        const appended = journal.append(RecordKind.prediction, text);
        written.push(appended.then((position) => ({ text, position })));
      }
      await sealing;
    }
    for (const { text, position } of await Promise.all(written)) {
      expect(await journal.read(position)).toBe(text);
      const first = Number(/(\d+)\.seg$/.exec(position.segment)?.[1]);
      expect(position.seq - first).toBeGreaterThanOrEqual(0);
      expect(position.seq - first).toBeLessThan(SEQS_PER_SEGMENT);
    }
    await journal.close();
  });

  test('is durable for everyone who waits, also for the second of two', async () => {
    const journal = await open();
    const { segment } = await journal.append(RecordKind.prediction, 'one');
    const handle = await openFile(segment, 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const { value: datasync } = Object.getOwnPropertyDescriptor(prototype, 'datasync') as {
      readonly value: (this: FileHandle) => Promise<void>;
    };
    let begun = 0;
    let ended = 0;
    const spy = vi.spyOn(prototype, 'datasync').mockImplementation(async function (
      this: FileHandle,
    ) {
      begun += 1;
      await datasync.call(this);
      await sleep(20);
      ended += 1;
    });
    const first = journal.durable();
    await journal.append(RecordKind.prediction, 'two');
    expect(begun).toBe(1);
    await Promise.all(
      [1, 2, 3].map(async () => {
        await journal.durable();
        expect(ended, 'a sync that began after the write').toBe(2);
      }),
    );
    await first;
    spy.mockRestore();
    await handle.close();
    await journal.close();
  });

  test('closes in the turn of an append, and does nothing after', async () => {
    const journal = await open();
    const written = journal.append(RecordKind.prediction, 'last');
    await journal.close();
    expect((await written).seq).toBe(0);
    expect(await payloads()).toEqual(['last']);
    // What the append had scheduled for the end of its turn runs into a closed journal.
    await sleep(10);
  });

  test('reads many records in the order asked for, and knows which are gone', async () => {
    const journal = await open(2048);
    const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'z'.repeat(index * 10)}`);
    const positions: Position[] = [];
    for (const text of texts) {
      positions.push(await journal.append(RecordKind.prediction, text));
      await journal.durable();
    }
    expect(await journal.readAll(positions.toReversed())).toEqual(texts.toReversed());
    const [first] = await journal.seal();
    await rm(first!);
    const left = await journal.readAll(positions);
    expect(left).toEqual(texts.map((text, at) => (positions[at]?.segment === first ? null : text)));
    await journal.close();
  });

  test('does not seal an empty segment', async () => {
    const journal = await open();
    expect(await journal.seal()).toEqual([]);
    await journal.close();
  });

  test('seals by itself when a segment is full', async () => {
    const journal = await open(4096);
    for (let index = 0; index < 50; index += 1) {
      await journal.append(RecordKind.prediction, `${index} ${'y'.repeat(300)}`);
      await journal.durable();
    }
    const sealed = await journal.seal();
    expect(sealed.length).toBeGreaterThan(2);
    expect(await payloads()).toHaveLength(50);
    await journal.close();
  });

  test('counts what every segment holds, and has no room past its limit', async () => {
    const journal = await open(4096, 10_000);
    let appended = 0;
    while (journal.bytes < 10_000) {
      journal.assertRoom();
      const written = journal.append(RecordKind.prediction, 'z'.repeat(484));
      appended += 1;
      expect(journal.bytes).toBeGreaterThanOrEqual(appended * 500);
      await written;
      await journal.durable();
    }
    expect(appended).toBe(20);
    expect(journal.segments).toBeGreaterThan(2);
    expect(() => {
      journal.assertRoom();
    }).toThrow(expect.objectContaining({ code: 'LOG_FULL', status: 507 }));
    await journal.close();

    const reopened = await open(4096, 10_000);
    expect(reopened.bytes).toBeGreaterThanOrEqual(10_000);
    const sealed = await reopened.seal();
    reopened.release(sealed.slice(0, 1));
    reopened.assertRoom();
    await reopened.append(RecordKind.label, 'x');
    reopened.release(await reopened.seal());
    expect([reopened.bytes, reopened.segments]).toEqual([0, 0]);
    await reopened.close();
  });

  test('reads what is left behind in pieces, records longer than one included', async () => {
    const journal = await open();
    const long = 'l'.repeat(3 * 1024 * 1024);
    for (let index = 0; index < 12; index += 1) {
      await journal.append(RecordKind.prediction, index % 4 === 3 ? long : `short ${index}`);
      await journal.append(RecordKind.prediction, 'm'.repeat(1024 * 1024 - 16));
    }
    const [file] = await journal.seal();
    await journal.close();
    const bytes = await readFile(file!);
    for (const cut of [0, 1, 17, 40, 2000]) {
      await truncate(file!, bytes.length - cut);
      const whole = decodeSegment(await readFile(file!), file!);
      expect(await scanSegment(file!)).toEqual({
        header: whole?.header,
        records: whole?.records.length,
        lastSeq: whole?.records.at(-1)?.seq,
        tail: whole?.tail,
        bytes: bytes.length - cut,
      });
    }
  });

  test('goes on with greater numbers after a restart', async () => {
    const first = await open();
    const before = await first.append(RecordKind.prediction, 'before');
    await first.close();
    const second = await open();
    const after = await second.append(RecordKind.prediction, 'after');
    expect(after.seq).toBeGreaterThan(before.seq);
    expect(second.writer).toBe(first.writer);
    expect(await second.seal()).toContain(before.segment);
    await second.close();
  });

  test('starts another stream when its folder was emptied', async () => {
    const first = await open();
    await first.close();
    await rm(folder, { recursive: true });
    const second = await open();
    expect(second.writer).not.toBe(first.writer);
    await second.close();
  });

  test('keeps the whole records before a torn one', async () => {
    const journal = await open();
    await journal.append(RecordKind.prediction, 'whole');
    const { segment } = await journal.append(RecordKind.prediction, 'torn by a power loss');
    await journal.close();
    const bytes = await readFile(segment);
    await truncate(segment, bytes.length - 20);
    const [read] = await segments();
    expect(read?.records.map((record) => record.payload)).toEqual(['whole']);
    expect(read?.tail).toBe('torn');
    const reopened = await open();
    expect(await reopened.seal()).toContain(segment);
    await reopened.close();
  });

  test('stops at bytes that were altered', async () => {
    const journal = await open();
    const first = await journal.append(RecordKind.prediction, 'aaaa');
    await journal.append(RecordKind.prediction, 'bbbb');
    await journal.close();
    const bytes = await readFile(first.segment);
    bytes[first.offset] = 0x7a;
    await writeFile(first.segment, bytes);
    const [read] = await segments();
    expect(read?.records).toEqual([]);
    expect(read?.tail).toBe('torn');
  });

  test('refuses a segment of a later format by name', async () => {
    const journal = await open();
    await journal.append(RecordKind.prediction, 'x');
    await journal.close();
    const [name] = await readdir(folder);
    const file = path.join(folder, name!);
    const bytes = await readFile(file);
    bytes.writeUInt16LE(99, 8);
    const { crc32 } = await import('node:zlib');
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    await writeFile(file, bytes);
    await expect(open()).rejects.toMatchObject({ code: 'STATE_NEWER' });
  });

  test('opens beside the engine of a killed process, still at its segments', async () => {
    const former = await open();
    await former.append(RecordKind.prediction, 'flushed meanwhile');
    const [flushed] = await former.seal();
    await former.append(RecordKind.prediction, 'kept');
    await former.close();
    await rm(flushed!);
    // Listed, and gone when it is read.
    await symlink('nowhere', flushed!);
    const journal = await open();
    expect(journal.writer).toBe(former.writer);
    expect(await payloads()).toEqual(['kept']);
    await journal.close();
  });

  test.each([
    ['cut inside its header', Buffer.from('MWJ')],
    ['whose header a power loss left as zeros', Buffer.alloc(64)],
  ])('forgets a segment %s, which never held a record', async (_, left) => {
    const journal = await open();
    await journal.append(RecordKind.prediction, 'kept');
    await journal.close();
    await writeFile(path.join(folder, `${journal.writer}.000000009000000.seg`), left);
    const reopened = await open();
    expect(await payloads()).toContain('kept');
    await reopened.close();
  });

  test('refuses to forget a segment with a broken header and records behind it', async () => {
    const journal = await open();
    const { segment } = await journal.append(RecordKind.prediction, 'a record');
    await journal.close();
    const bytes = await readFile(segment);
    bytes.fill(0, 0, 64);
    await writeFile(segment, bytes);
    await expect(open()).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
  });
});

test('any text survives the segment format', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 300 })), async (texts) => {
      const own = await mkdtemp(path.join(tmpdir(), 'mw-journal-'));
      const journal = await Journal.open({
        folder: own,
        writer: 'main',
        log: silentLog,
        faults: noFaults,
      });
      const positions = await Promise.all(
        texts.map((text) => journal.append(RecordKind.prediction, text)),
      );
      const read = await Promise.all(positions.map((position) => journal.read(position)));
      // Lone surrogates have no UTF-8 form; JSON text never holds one unescaped.
      expect(read).toEqual(texts.map((text) => text.toWellFormed()));
      await journal.close();
      await rm(own, { recursive: true });
    }),
    { numRuns: 30 },
  );
});
