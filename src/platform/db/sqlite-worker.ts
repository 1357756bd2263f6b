import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { toWireFailure } from './sqlite-error.ts';
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

port.on('message', ({ id, request }: SqliteEnvelope) => {
  port.postMessage({ id, reply: answer(request) } satisfies SqliteReplyEnvelope);
  if (request.kind === 'close') port.close();
});

function answer(request: SqliteRequest): SqliteReplies[keyof SqliteReplies] {
  switch (request.kind) {
    case 'open':
      return open();
    case 'read':
      return connection().read(request.statement);
    case 'write':
      return connection().write(request.batch);
    case 'backup':
      return connection().backup(request.file);
    case 'close':
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
