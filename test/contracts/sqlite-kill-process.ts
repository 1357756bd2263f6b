import { sql } from 'kysely';
import { present } from '../../src/base/assert.ts';
import { columnTypes, createTable } from '../../src/platform/db/dialect.ts';
import { rawQuery } from '../../src/platform/db/kysely-builder.ts';
import { openSqlite } from '../../src/platform/db/sqlite.ts';
import { silentLog } from '../../src/platform/log/log.ts';

/** Writes two rows per transaction from many callers at once and tells each acknowledged one. */

const CALLERS = 16;
const file = present(process.argv[2], 'the database file');
const db = await openSqlite({ file, log: silentLog });
const queries = db.queries<unknown>();
const { integer } = columnTypes('sqlite');
await db.write([
  {
    query: createTable(queries, 'sqlite', 'writes')
      .addColumn('n', integer)
      .addColumn('half', integer),
  },
]);

let last = 0;
async function write(): Promise<never> {
  for (;;) {
    const n = (last += 1);
    await db.write(
      [1, 2].map((half) => ({
        query: rawQuery(queries, sql`insert into writes (n, half) values (${n}, ${half})`),
      })),
    );
    // Not `writeSync`, which throws when a slow reader leaves the pipe full.
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: CALLERS }, write));
