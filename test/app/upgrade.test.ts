import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, ManualClock } from '../../src/app/testing.ts';
import { listModels } from '../../src/capabilities/registry/contract.ts';
import { migrate } from '../../src/platform/db/migrator.ts';
import { migrations } from '../../src/platform/db/migrations/index.ts';
import { openSqlite } from '../../src/platform/db/sqlite.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { stateFolder } from '../../src/platform/state/state-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mw-upgrade-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

/** A state folder as an earlier version left it: with the first migrations only. */
async function olderFolder(): Promise<void> {
  const db = await openSqlite({ file: stateFolder(root).database, log: silentLog });
  const first = migrations.slice(0, 1);
  await migrate({ db, migrations: first, clock: new ManualClock(), log: silentLog });
  await db.close();
}

function migrationsIn(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare('select count(*) as n from migrations').get() as { n: number };
  database.close();
  return row.n;
}

test('an older database is copied, then brought up to date', async () => {
  await olderFolder();
  await using app = await createTestApp({ stateFolder: root });
  expect((await app.api.call(listModels, { query: {} })).items).toEqual([]);
  const [copy] = await readdir(path.join(root, 'backups'));
  expect(migrationsIn(path.join(root, 'backups', copy!))).toBe(1);
  expect(migrationsIn(stateFolder(root).database)).toBe(migrations.length);
});

test('a new folder needs no copy', async () => {
  await using app = await createTestApp({ stateFolder: root });
  await app.api.call(listModels, { query: {} });
  await expect(readdir(path.join(root, 'backups'))).rejects.toThrow('ENOENT');
});

test('a folder of a later version is refused and left as it is', async () => {
  const newer = '{"format":99,"createdBy":"10.0.0"}\n';
  await writeFile(path.join(root, 'format.json'), newer);
  await expect(createTestApp({ stateFolder: root })).rejects.toMatchObject({ code: 'STATE_NEWER' });
  expect(await readFile(path.join(root, 'format.json'), 'utf8')).toBe(newer);
  expect(await readdir(root)).not.toContain('metadata.db');
  // Nothing holds the folder any more.
  await rm(path.join(root, 'format.json'));
  await using app = await createTestApp({ stateFolder: root });
  expect(app.app.platform.lock.epoch).toBeGreaterThan(1);
});

test('two apps at once are one too many', async () => {
  await using app = await createTestApp({ stateFolder: root });
  await expect(createTestApp({ stateFolder: root })).rejects.toMatchObject({ code: 'STATE_OWNED' });
  expect((await app.api.call(listModels, { query: {} })).items).toEqual([]);
});
