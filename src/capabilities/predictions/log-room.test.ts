import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventInput } from '../../platform/events/port.ts';
import { noFaults } from '../../platform/fault-points.ts';
import { Journal } from '../../platform/journal/journal.ts';
import { RecordKind } from '../../platform/journal/segment.ts';
import { silentLog } from '../../platform/log/log.ts';
import { LogRoom } from './log-room.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-room-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('tells once when the journal is half full, full, and drained', async () => {
  const base = { folder, writer: 'main', log: silentLog, faults: noFaults };
  const journal = await Journal.open({ ...base, bytesMax: 10_000 });
  const events: EventInput[] = [];
  const record = async (event: EventInput): Promise<void> => void events.push(event);
  const room = new LogRoom({ journal, events: { record }, log: silentLog });
  const states = new Set<string>();
  while (journal.bytes < 10_000) {
    await journal.append(RecordKind.prediction, 'x'.repeat(1000));
    room.look('no engine');
    states.add(room.state);
  }
  journal.release(await journal.seal());
  room.look(null);
  room.look(null);
  expect([...states, room.state]).toEqual(['roomy', 'filling', 'full', 'roomy']);
  expect(events.map(({ kind }) => kind)).toEqual([
    'journal.half_filled',
    'journal.filled',
    'journal.drained',
  ]);
  expect(events[1]).toMatchObject({
    subject: `journal/${journal.writer}`,
    data: { bytesMax: 10_000, why: 'no engine' },
  });
  await journal.close();
});
