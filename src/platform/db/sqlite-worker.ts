import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { toWireFailure } from './sqlite-error.ts';
import type {
  SqliteEnvelope,
  SqliteHello,
  SqliteReplies,
  SqliteReplyEnvelope,
  SqliteRequest,
  SqliteThreadData,
} from './sqlite-protocol.ts';

/** Entry point of a SQLite thread: answers one request after the other. */

const port = present(parentPort, 'the port to the main thread');

function start(): void {
  let connection: SqliteConnection;
  try {
    connection = new SqliteConnection(workerData as SqliteThreadData);
  } catch (error) {
    port.postMessage({ failure: toWireFailure(error, null) } satisfies SqliteHello);
    return;
  }
  port.on('message', ({ id, request }: SqliteEnvelope) => {
    port.postMessage({ id, reply: answer(connection, request) } satisfies SqliteReplyEnvelope);
    if (request.kind === 'close') port.close();
  });
  port.postMessage({ ready: true } satisfies SqliteHello);
}

function answer(
  connection: SqliteConnection,
  request: SqliteRequest,
): SqliteReplies[keyof SqliteReplies] {
  switch (request.kind) {
    case 'read':
      return connection.read(request.statement);
    case 'write':
      return connection.write(request.batch);
    case 'backup':
      return connection.backup(request.file);
    case 'close':
      connection.close();
      return null;
  }
}

start();
