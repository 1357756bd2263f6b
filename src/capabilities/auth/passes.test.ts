import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../app/testing.ts';
import { openPassKey, Passes } from './passes.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-passes-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const key = Buffer.alloc(32, 7);

test('a pass is good until it ends, at another start as well', () => {
  const clock = new ManualClock();
  const pass = new Passes(key, clock).sign({ kind: 'step', subject: 'att_01' }, 1000);
  const next = new Passes(key, clock);
  clock.advance(999);
  expect(next.read(pass)).toEqual({ kind: 'step', subject: 'att_01' });
  clock.advance(1);
  expect(next.read(pass)).toBeNull();
});

test('another key, kind, subject or end makes it nothing', () => {
  const clock = new ManualClock();
  const passes = new Passes(key, clock);
  const pass = passes.sign({ kind: 'session', subject: 'abc' }, 1000);
  expect(new Passes(Buffer.alloc(32, 8), clock).read(pass)).toBeNull();
  const at = fc.nat(pass.length - 1);
  const letter = fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz_'.split(''));
  fc.assert(
    fc.property(at, letter, (index, char) => {
      const other = `${pass.slice(0, index)}${char}${pass.slice(index + 1)}`;
      expect(passes.read(other)).toEqual(
        other === pass ? { kind: 'session', subject: 'abc' } : null,
      );
    }),
  );
  for (const text of ['', pass.slice(0, -1), `${pass}0`, pass.toUpperCase(), `${pass}\n`]) {
    expect(passes.read(text)).toBeNull();
  }
});

test('the key is made once, and one that is damaged is not used', async () => {
  const file = path.join(folder, 'auth.key');
  const made = await openPassKey(file);
  expect(made).toHaveLength(32);
  expect(await openPassKey(file)).toEqual(made);
  writeFileSync(file, 'short');
  await expect(openPassKey(file)).rejects.toThrow('is not a key of 32 bytes');
});
