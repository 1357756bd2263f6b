import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from './log.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-log-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The lines written, as objects. */
function logged(write: (log: ReturnType<typeof createLog>) => void): readonly object[] {
  const file = path.join(folder, 'log');
  write(createLog({ level: 'info', path: file }));
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as object);
}

test('writes what somebody else chose on one line, whatever is in it', () => {
  const forged = 'x\r\n{"level":60,"event":"forged"}\u2028\u001b[2J\u0000';
  const lines = logged((log) => log.warn('request.refused', { url: forged, [forged]: forged }));
  expect(lines).toMatchObject([{ event: 'request.refused', url: forged }]);
});

test('leaves out secrets, by the name of the field and by how tokens look', () => {
  const token = `mwt_${'ab'.repeat(6)}_${'cd'.repeat(32)}`;
  const lines = logged((log) => {
    log.info('a', { token: 'hunter2', nested: { password: 'hunter2', secret: 'hunter2' } });
    log.info('b', { url: `/x?key=${token}&y=1`, stack: `Error: ${token}\n  at x` });
    log.child({ from: token }).info('c');
    log.info(`d ${token}`);
  });
  expect(JSON.stringify(lines)).not.toMatch(/hunter2|abab|cdcd/);
  expect(lines[1]).toMatchObject({ url: '/x?key=[token]&y=1', stack: 'Error: [token]\n  at x' });
});
