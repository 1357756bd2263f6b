import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { loadConfig, parseConfigFile } from './load-config.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-config-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function refusal(text: string): string {
  try {
    parseConfigFile(text, 'millwright.yaml');
  } catch (thrown) {
    expect((thrown as AppError).code).toBe('INVALID_CONFIG');
    return (thrown as AppError).message;
  }
  throw new Error('was accepted');
}

describe('millwright.yaml', () => {
  test('may be empty of everything but its version', () => {
    expect(parseConfigFile('version: 1\n', 'f')).toEqual({ version: 1 });
  });

  test.each([
    ['broken syntax', 'version: 1\nserver: {port: 1\n', /^millwright\.yaml:\d+:\d+: /],
    ['a tab', 'version: 1\nserver:\n\tport: 1\n', /^millwright\.yaml:3:1: /],
    ['a key given twice', 'version: 1\nversion: 1\n', /^millwright\.yaml:2:1: /],
    [
      'an unknown key',
      'version: 1\nserverr: {}\n',
      /:2:1: serverr: unknown key; did you mean server\?/,
    ],
    [
      'an unknown inner key',
      'version: 1\nserver:\n  prot: 1\n',
      /:3:3: server\.prot: unknown key; did you mean port\?/,
    ],
    ['a wrong type', 'version: 1\nserver:\n  port: high\n', /:3:3: server\.port: .*number/],
    ['a port out of range', 'version: 1\nserver: { port: 70000 }\n', /:2:11: server\.port: /],
    ['another version', 'version: 2\n', /:1:1: version: /],
    ['no mapping at all', '- a\n', /:1:1: file: /],
    [
      'a webhook that is no web address',
      'version: 1\nwebhooks:\n  - { url: "file:///etc/passwd", events: ["*"] }\n',
      /:3:7: webhooks\.0\.url: /,
    ],
    [
      'a webhook to where machines keep their credentials',
      'version: 1\nwebhooks:\n  - { url: "http://169.254.169.254/", events: ["*"] }\n',
      /:3:7: webhooks\.0\.url: leads to a link-local/,
    ],
  ])('names the place of %s', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  test('reports every mistake, not just the first', () => {
    expect(refusal('version: 1\nnmae: x\nlog: { level: loud }\n').split('\n')).toHaveLength(2);
  });

  test('refuses a bomb of aliases', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\nversion: 1\n`;
    expect(refusal(bomb)).toContain('millwright.yaml');
  });
});

describe('the configuration', () => {
  test('takes flags before variables before the file before defaults', async () => {
    await writeFile(
      path.join(folder, 'millwright.yaml'),
      'version: 1\nname: team\nserver: { port: 1 }\n',
    );
    const load = (env: Record<string, string>, port?: number) =>
      loadConfig({ folder, env, flags: { port } }).port;
    expect(load({ MILLWRIGHT_PORT: '2' }, 3)).toBe(3);
    expect(load({ MILLWRIGHT_PORT: '2' })).toBe(2);
    expect(load({})).toBe(1);
    const config = loadConfig({ folder, env: {}, flags: {} });
    expect(config).toMatchObject({ name: 'team', host: '127.0.0.1', databaseUrl: null });
    expect(config.stateFolder).toBe(path.join(folder, '.millwright'));
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('refuses a variable that is no port', () => {
    const load = () => loadConfig({ folder, env: { MILLWRIGHT_PORT: 'http' }, flags: {} });
    expect(load).toThrow('MILLWRIGHT_PORT=http is not a port');
  });

  test('takes an empty variable for one that is not set', () => {
    const env = { MILLWRIGHT_PORT: '', MILLWRIGHT_STATE: '', MILLWRIGHT_DATABASE_URL: '' };
    expect(loadConfig({ folder, env, flags: {} })).toEqual(
      loadConfig({ folder, env: {}, flags: {} }),
    );
  });

  test('refuses a named file that does not exist', () => {
    expect(() => loadConfig({ folder, env: {}, flags: { config: 'nope.yaml' } })).toThrow(
      'does not exist',
    );
  });
});
