import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCommand } from '../faults/server-process.ts';

/** `millwright init` in the folders that people have. */

// Several programs are started one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'millwright-init-')), 'churn');
  mkdirSync(folder);
});

afterEach(() => {
  rmSync(path.dirname(folder), { recursive: true });
});

function put(name: string, text = ''): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
}

function read(name: string): string {
  return readFileSync(path.join(folder, name), 'utf8');
}

async function millwright(...words: readonly string[]) {
  return await runCommand(words, { cwd: folder, env: { MILLWRIGHT_LOG: 'error' } });
}

test('finds what there is, and declares what it found', async () => {
  mkdirSync(path.join(folder, '.git'));
  put('.gitignore', 'out');
  put('mlruns/1/0123/meta.yaml');
  put('mlruns/models/m-1/meta.yaml');
  put('mlruns/.trash/1/meta.yaml');
  put('notebooks/explore.ipynb', '{}');
  put('.venv/lib/site.ipynb', '{}');
  put('src/train.py', 'import os\nimport mlflow.sklearn\n');
  put('src/other.py', '# import mlflow would be an idea\n');
  put('dvc.yaml', 'stages:\n  prepare: { cmd: python prepare.py }\n');
  put('requirements.lock', 'numpy==2.0.0 \\\n    --hash=sha256:00\n');
  put('requirements.in', 'numpy\n');
  const { code, stdout, stderr } = await millwright('init', '--json');
  expect([code, stderr]).toEqual([0, '']);
  const told = JSON.parse(stdout) as { readonly workspace: object };
  expect(told).toMatchObject({
    workspace: { name: 'churn', clock: 'live' },
    wrote: ['millwright.yaml', '.gitignore'],
    found: {
      hasGit: true,
      mlflowRuns: 2,
      stages: ['prepare'],
      stagesError: null,
      lock: 'requirements.lock',
      requirements: ['requirements.in'],
      notebooks: ['notebooks/explore.ipynb'],
      trackedScripts: ['src/train.py'],
      isCut: false,
    },
  });
  expect(read('millwright.yaml')).toContain('python: { requirements: "requirements.lock" }');
  expect(read('.gitignore')).toBe('out\n.millwright/\n');
  const [, schema] = /\$schema=(\S+)/.exec(read('millwright.yaml'))!;
  expect(JSON.parse(read(schema!))).toMatchObject({ title: 'millwright.yaml' });
  expect(await millwright('plan')).toMatchObject({ code: 0, stdout: 'nothing to change\n' });
});

test('what it proposes in comments is valid once the table is there', async () => {
  await millwright('init');
  await millwright(
    'tables',
    'create',
    'outcomes',
    'request_key:string!',
    'known_at:timestamp!',
    'value:double',
  );
  const text = read('millwright.yaml');
  const sections = text.slice(text.indexOf('# endpoints:'));
  const proposed = sections.replaceAll(/^# (?=\w+:$| )/gm, '');
  put('millwright.yaml', text.slice(0, text.indexOf('# endpoints:')) + proposed);
  const { code, stdout, stderr } = await millwright('plan', '--json');
  expect([code, stderr]).toEqual([3, '']);
  const { changes } = JSON.parse(stdout) as { changes: readonly { readonly kind: string }[] };
  expect(changes.map(({ kind }) => kind)).toEqual(['source', 'label', 'endpoint', 'monitor']);
});

test('overwrites nothing, and says what a broken dvc.yaml is', async () => {
  put('millwright.yaml', 'version: 1\nname: mine\n');
  put('dvc.yaml', 'stages: 3\n');
  const { code, stdout } = await millwright('init');
  expect(code).toBe(0);
  expect(stdout).toContain('millwright.yaml was there and is as it was');
  expect(stdout).toMatch(/DVC +dvc.yaml:1:1: stages: /);
  expect(read('millwright.yaml')).toBe('version: 1\nname: mine\n');
  expect(existsSync(path.join(folder, '.gitignore'))).toBe(false);
});

test('makes a workspace on a replay clock, and refuses to change the clock of one', async () => {
  expect((await millwright('init', '--clock', 'replay')).stdout).toContain('replay clock');
  expect((await millwright('init')).stdout).toContain('replay clock');
  const other = await millwright('init', '--clock', 'live');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('The clock of this workspace is replay.');
});
