import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeShim } from './step-environment.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-shim-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the millwright of stages can be called, whatever its mode was before', async () => {
  const program = { node: '/node', entry: '/entry' };
  const file = path.join(folder, 'millwright');
  await writeShim(folder, program);
  chmodSync(file, 0o644);
  await writeShim(folder, program);
  expect(statSync(file).mode & 0o777).toBe(0o755);
});
