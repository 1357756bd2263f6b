import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** One project, run by us and by the unmodified `dvc`: each takes the other's work as its own. */

const MINUTE = 60_000;

let app: TestApp;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-dvc-'));
  app = await createTestApp();
  await app.app.listen(0);
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function command(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      ...processEnv,
      DVC_NO_ANALYTICS: '1',
      DVC_SITE_CACHE_DIR: path.join(app.folder, 'dvc-site'),
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    };
    const options = { cwd: folder, env, timeout: MINUTE };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`));
    });
  });
}

function dvc(...args: string[]): Promise<string> {
  const interpreter = processEnv['PYTHON'];
  if (interpreter === undefined) throw new Error('no Python with dvc: run `npm test` once');
  return command(interpreter, ['-m', 'dvc', ...args]);
}

const git = (...args: string[]): Promise<string> => command('git', args);

async function status(): Promise<unknown> {
  return JSON.parse(await dvc('status', '--json'));
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

async function run(...targets: string[]): Promise<PipelineRun> {
  let now = await app.api.call(startPipeline, { body: { folder, targets } });
  while (now.finishedAt === null) {
    await sleep(20);
    now = await app.api.call(getPipelineRun, { params: { run: now.id } });
  }
  expect(now.error).toBeNull();
  return now;
}

function states(of: PipelineRun): readonly string[] {
  return of.steps.map(({ stage, state }) => `${stage} ${state}`);
}

/** Everything of dvc.yaml that changes what is hashed or written down. */
const PIPELINE = `
vars: [{out: made}]
stages:
  prepare:
    desc: makes the data
    cmd: echo prepare >> ran && ./make.sh \${out}
    deps: [make.sh, raw]
    outs: [made]
  train:
    wdir: src
    cmd:
    - echo train >> ../ran
    - cat ../made/*.txt conf.json > model.bin; touch empty
    - echo '{"auc":0.5}' > metrics.json
    - printf '#!/bin/sh\\n' > tool && chmod +x tool
    deps: [../made]
    params:
    - conf.json: [model.depth, model.rates]
    - ../whole.yaml:
    - ../params.yaml: [lr, tiny, big, one, yes_text, nested, many.1, quoted, thousand]
    outs: [model.bin, empty, tool, {kept: {persist: true}}]
    metrics: [{metrics.json: {cache: false}}]
  slices:
    foreach: [a, b]
    do:
      cmd: echo \${item} >> ran; grep -c \${item} raw/\${item}.csv > \${item}.count
      deps: ["raw/\${item}.csv"]
      outs: ["\${item}.count"]
`;

function writeProject(): void {
  write({
    'dvc.yaml': PIPELINE,
    'make.sh': '#!/bin/sh\nmkdir -p $1/sub && cp raw/*.csv $1/ && cp raw/a.csv "$1/ü 😀.txt"\n',
    'raw/a.csv': 'a,1\n',
    'raw/b.csv': 'b,2\r\n',
    'raw/notes.tmp': 'ignored',
    '.dvcignore': '*.tmp\n',
    'src/conf.json': '{"model": {"depth": 3, "rates": [0.1, 1.0, 1e-7]}, "other": 1}',
    'src/kept/old.txt': 'kept',
    'whole.yaml': 'a: 1\nb: {c: [1, 2.50]}\nd: null\n',
    'params.yaml':
      'lr: 1.0\ntiny: 1e-7\nbig: 123456789012345678901234567890\none: 1\nyes_text: yes\n' +
      'nested: {z: 1, a: "x: y"}\nmany: [10, 20]\nunused: 5\n' +
      'quoted: "2001-02-03"\nthousand: 1_000\n',
  });
  chmodSync(path.join(folder, 'make.sh'), 0o755);
}

const ALL = ['prepare', 'train', 'slices@a', 'slices@b'];

describe('after our run', () => {
  test(
    'dvc has nothing to do, and its cache is whole',
    async () => {
      writeProject();
      await git('init', '--quiet');
      await dvc('init', '--quiet');
      expect(states(await run())).toEqual(ALL.map((stage) => `${stage} succeeded`));
      expect(await status()).toEqual({});
      const ran = read('ran');
      expect(await dvc('repro')).toContain('up to date');
      expect(read('ran')).toBe(ran);
      // dvc writes nothing but what we wrote.
      const lock = read('dvc.lock');
      await dvc('commit', '--force', '--quiet');
      expect(read('dvc.lock')).toBe(lock);
      // What git sees is what it would see after `dvc repro`.
      expect(read('.gitignore')).toContain('/made\n');
      expect(read('src/.gitignore')).toContain('/model.bin\n');
      expect(read('src/.gitignore')).not.toContain('metrics.json');
      // The outputs can be thrown away and had again from the cache.
      const model = read('src/model.bin');
      for (const out of ['made', 'src/model.bin', 'src/tool', 'a.count']) {
        rmSync(path.join(folder, out), { recursive: true });
      }
      await dvc('checkout', '--quiet');
      expect(read('src/model.bin')).toBe(model);
      expect(read('made/ü 😀.txt')).toBe('a,1\n');
      expect(await status()).toEqual({});
    },
    MINUTE,
  );

  test(
    'dvc sees the same change as we do',
    async () => {
      writeProject();
      await dvc('init', '--no-scm', '--quiet');
      await run();
      write({ 'params.yaml': read('params.yaml').replace('lr: 1.0', 'lr: 0.5') });
      expect(await status()).toEqual({
        train: [{ 'changed deps': { 'params.yaml': { lr: 'modified' } } }],
      });
      const again = await run();
      expect(again.steps.find(({ stage }) => stage === 'train')).toMatchObject({
        state: 'succeeded',
        reasons: ['../params.yaml:lr changed 1.0 -> 0.5'],
      });
      expect(await status()).toEqual({});
    },
    MINUTE,
  );

  test(
    'dvc finds the outputs even if it was initialised later',
    async () => {
      writeProject();
      await run();
      await dvc('init', '--no-scm', '--quiet');
      expect(states(await run())).toEqual(ALL.map((stage) => `${stage} cached`));
      expect(await status()).toEqual({});
    },
    MINUTE,
  );
});

describe('after dvc repro', () => {
  test(
    'we have nothing to do',
    async () => {
      writeProject();
      await git('init', '--quiet');
      await dvc('init', '--quiet');
      await dvc('repro', '--quiet');
      const lock = read('dvc.lock');
      expect(states(await run())).toEqual(ALL.map((stage) => `${stage} cached`));
      expect(read('dvc.lock')).toBe(lock);
      // Its cache is ours.
      rmSync(path.join(folder, 'made'), { recursive: true });
      expect(states(await run('prepare'))).toEqual(['prepare restored']);
      expect(existsSync(path.join(folder, 'made/ü 😀.txt'))).toBe(true);
      expect(await status()).toEqual({});
    },
    MINUTE,
  );

  test(
    'we run what changed since, in its lock file',
    async () => {
      writeProject();
      await dvc('init', '--no-scm', '--quiet');
      await dvc('repro', '--quiet');
      write({ 'raw/b.csv': 'b,3\nb,4\n' });
      expect(states(await run())).toEqual([
        'prepare succeeded',
        'train succeeded',
        'slices@a cached',
        'slices@b succeeded',
      ]);
      expect(await status()).toEqual({});
    },
    MINUTE,
  );
});
