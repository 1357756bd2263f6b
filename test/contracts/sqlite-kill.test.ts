import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryFile } from '../../src/platform/system.ts';

describe('a process killed while it writes to SQLite', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'millwright-kill-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([20, 333, 1500])(
    'has kept every acknowledged write, and whole transactions only (after %i)',
    async (count) => {
      const file = path.join(folder, 'metadata.db');
      const acknowledged = await writeUntilKilled(file, count);
      expect(acknowledged.length).toBeGreaterThanOrEqual(count);
      const db = new DatabaseSync(file);
      const check = db.prepare('pragma integrity_check').all();
      const stored = db.prepare('select n, count(*) as halves from writes group by n').all();
      db.close();
      expect(check).toEqual([{ integrity_check: 'ok' }]);
      expect(stored.every((row) => row.halves === 2)).toBe(true);
      const numbers = new Set(stored.map((row) => Number(row.n)));
      expect(acknowledged.filter((n) => !numbers.has(n))).toEqual([]);
    },
  );
});

/** Starts the writing process, kills it after `count` acknowledged writes, returns all it told. */
async function writeUntilKilled(file: string, count: number): Promise<readonly number[]> {
  const program = entryFile(import.meta.url, './sqlite-kill-process');
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}
