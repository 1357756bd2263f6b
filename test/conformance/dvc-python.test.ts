import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import {
  getPipelineRun,
  startPipeline,
  type PipelineRun,
} from '../../src/capabilities/pipelines/contract.ts';
import { processEnv, sleep } from '../../src/platform/system.ts';

/** Stages in an environment that is made from the project's lock by the real Python. */

const MINUTE = 60_000;

let app: TestApp;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-python-'));
  app = await createTestApp();
  await app.app.listen(0);
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

function project(lock: string): void {
  write({
    'millwright.yaml':
      'version: 1\npipelines:\n  python:\n    requirements: requirements.lock\n' +
      `    interpreter: ${processEnv['PYTHON'] ?? 'python3'}\n`,
    'requirements.lock': lock,
    'where.py':
      'import json, os, sys\n' +
      'tags = json.loads(os.environ["MLFLOW_RUN_CONTEXT"])\n' +
      'print(json.dumps([sys.prefix, tags["millwright.environment"]]))\n',
    'dvc.yaml':
      'stages: {where: {cmd: python where.py > out.json, deps: [where.py], outs: [out.json]}}',
  });
}

async function run(): Promise<PipelineRun> {
  let now = await app.api.call(startPipeline, { body: { folder } });
  while (now.finishedAt === null) {
    await sleep(20);
    now = await app.api.call(getPipelineRun, { params: { run: now.id } });
  }
  return now;
}

function environments(): readonly string[] {
  const at = path.join(app.folder, 'environments');
  return existsSync(at) ? readdirSync(at) : [];
}

describe('a stage', () => {
  test(
    'runs in the environment of the lock, and again when the lock changed',
    async () => {
      project('# nothing but Python\n');
      const first = await run();
      expect(first.error).toBeNull();
      const [prefix, sha256] = JSON.parse(readFileSync(path.join(folder, 'out.json'), 'utf8')) as [
        string,
        string,
      ];
      expect(path.dirname(prefix)).toBe(path.join(app.folder, 'environments'));
      const lock = readFileSync(path.join(folder, 'requirements.lock'));
      expect(sha256).toBe(createHash('sha256').update(lock).digest('hex'));
      expect(first.environment).toBe(sha256);
      expect((await run()).steps[0]?.state).toBe('cached');
      write({ 'requirements.lock': '# still nothing\n' });
      const changed = await run();
      expect(changed.steps[0]).toMatchObject({
        state: 'succeeded',
        reasons: ['environment changed'],
      });
      expect(environments()).toHaveLength(2);
    },
    MINUTE,
  );

  test('does not begin when its lock cannot be installed', async () => {
    project('tiny-tool==1.0\n');
    const done = await run();
    expect(done.state).toBe('failed');
    expect(done.error).toMatchObject({
      code: 'ENVIRONMENT_FAILED',
      message: 'requirements.lock:1: tiny-tool==1.0 has no hash',
    });
    expect(done.steps[0]).toMatchObject({ state: 'skipped', attempts: [] });
    expect(environments()).toEqual([]);
    expect(existsSync(path.join(folder, 'out.json'))).toBe(false);
  });

  test('is refused at once when its lock does not exist', async () => {
    project('');
    rmSync(path.join(folder, 'requirements.lock'));
    await expect(run()).rejects.toThrow('The lock requirements.lock does not exist.');
  });
});
