import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { toWireFailure } from './sqlite-error.ts';
import { PinnedSnapshot } from './pinned-snapshot.ts';
import type {
  SqliteEnvelope,
  SqliteReplies,
  SqliteReplyEnvelope,
  SqliteRequest,
  SqliteThreadData,
  WireOutcome,
} from './sqlite-protocol.ts';

/** Entry point of a SQLite thread: answers one request after the other. */

const port = present(parentPort, 'the port to the main thread');
let opened: SqliteConnection | null = null;
const pinned = new PinnedSnapshot((workerData as SqliteThreadData).file);

port.on('message', ({ id, request }: SqliteEnvelope) => {
  if (request.kind === 'copy-pinned') {
    void copyPinned(id, request.file);
    return;
  }
  port.postMessage({ id, reply: answer(request) } satisfies SqliteReplyEnvelope);
  if (request.kind === 'close') port.close();
});

/** It takes long, and lets reads in between. */
async function copyPinned(id: number, file: string): Promise<void> {
  const reply = await pinned.copyTo(file);
  port.postMessage({ id, reply } satisfies SqliteReplyEnvelope);
}

function answer(
  request: Exclude<SqliteRequest, { kind: 'copy-pinned' }>,
): SqliteReplies[keyof SqliteReplies] {
  switch (request.kind) {
    case 'open':
      return open();
    case 'read':
      return connection().read(request.statement);
    case 'write':
      return connection().write(request.batch);
    case 'backup':
      return connection().backup(request.file);
    case 'pin':
      return pinned.take();
    case 'close':
      pinned.drop();
      opened?.close();
      return null;
  }
}

function open(): WireOutcome {
  try {
    opened = new SqliteConnection(workerData as SqliteThreadData);
    return { results: [] };
  } catch (error) {
    return { failure: toWireFailure(error, null) };
  }
}

function connection(): SqliteConnection {
  return present(opened, 'the connection of a SQLite thread');
}
