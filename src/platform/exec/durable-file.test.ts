import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replaceFile } from './durable-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-durable-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('replacing a file', () => {
  test('leaves one whole text of many writers, and nothing else', async () => {
    const file = path.join(folder, 'f');
    const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(100_000));
    await Promise.all(texts.map((text) => replaceFile(file, text)));
    expect(texts).toContain(readFileSync(file, 'utf8'));
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('gives it its mode', async () => {
    const file = path.join(folder, 'f');
    await replaceFile(file, 'x', 0o755);
    expect(statSync(file).mode & 0o777).toBe(0o755);
  });
});
