import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { sleep } from '../../platform/system.ts';
import {
  cancelPipelineRun,
  getPipelineRun,
  getStageLog,
  listPipelineRuns,
  planPipeline,
  startPipeline,
  type PipelineRun,
} from './contract.ts';

let app: TestApp;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-project-'));
  app = await createTestApp();
  await app.app.listen(0);
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

async function start(targets: string[] = [], force = false): Promise<PipelineRun> {
  return app.api.call(startPipeline, { body: { folder, targets, force } });
}

async function ended(id: string): Promise<PipelineRun> {
  for (;;) {
    const run = await app.api.call(getPipelineRun, { params: { run: id } });
    if (run.finishedAt !== null) return run;
    await sleep(10);
  }
}

async function run(targets: string[] = [], force = false): Promise<PipelineRun> {
  return ended((await start(targets, force)).id);
}

function states(of: PipelineRun): readonly string[] {
  return of.steps.map(({ stage, state }) => `${stage} ${state}`);
}

function reasons(of: PipelineRun, stage: string): readonly string[] {
  return of.steps.find((step) => step.stage === stage)?.reasons ?? [];
}

/** Waits until a file of the project is there: a stage has got so far. */
async function present(name: string): Promise<void> {
  while (!existsSync(path.join(folder, name))) await sleep(10);
}

const TWO_STAGES = `
stages:
  prepare:
    cmd: echo prepare >> ran && mkdir -p data && cp raw.csv data/rows.csv
    deps: [raw.csv]
    outs: [data]
  train:
    cmd: echo train >> ran && cat data/rows.csv params.yaml > model.bin
    deps: [data]
    params: [lr]
    outs: [model.bin]
`;

function writeTwoStages(): void {
  write({ 'dvc.yaml': TWO_STAGES, 'raw.csv': '1,2\n', 'params.yaml': 'lr: 0.1\nother: 1\n' });
}

describe('a run', () => {
  test('does what is needed in order, then nothing', async () => {
    writeTwoStages();
    const first = await run();
    expect(first.state).toBe('succeeded');
    expect(states(first)).toEqual(['prepare succeeded', 'train succeeded']);
    expect(read('model.bin')).toBe('1,2\nlr: 0.1\nother: 1\n');
    const second = await run();
    expect(states(second)).toEqual(['prepare cached', 'train cached']);
    expect(reasons(second, 'train')).toEqual(['same code, data, params, environment']);
    expect(read('ran')).toBe('prepare\ntrain\n');
  });

  test('says beforehand what runs and why', async () => {
    writeTwoStages();
    await run();
    write({ 'params.yaml': 'lr: 0.05\nother: 2\n' });
    const body = { folder, targets: ['train'] };
    const plan = await app.api.call(planPipeline, { body });
    expect(plan.stages).toEqual([
      { name: 'prepare', action: 'cached', reasons: ['same code, data, params, environment'] },
      { name: 'train', action: 'run', reasons: ['params.lr changed 0.1 -> 0.05'] },
    ]);
    expect(read('ran')).toBe('prepare\ntrain\n');
  });

  test('goes no further than what came out the same', async () => {
    writeTwoStages();
    write({ 'dvc.yaml': TWO_STAGES.replace('cp raw.csv data/', 'head -c 4 raw.csv > data/') });
    await run();
    write({ 'raw.csv': '1,2\nmore\n' });
    const again = await run(['train']);
    expect(states(again)).toEqual(['prepare succeeded', 'train cached']);
  });

  test('puts back outputs that are gone', async () => {
    writeTwoStages();
    await run();
    const model = read('model.bin');
    rmSync(path.join(folder, 'model.bin'));
    rmSync(path.join(folder, 'data'), { recursive: true });
    const again = await run();
    expect(states(again)).toEqual(['prepare restored', 'train restored']);
    expect(read('model.bin')).toBe(model);
    expect(read('ran')).toBe('prepare\ntrain\n');
  });

  test('makes an output anew that was changed, and leaves a frozen one alone', async () => {
    writeTwoStages();
    await run();
    write({ 'model.bin': 'edited by hand' });
    expect(states(await run())).toEqual(['prepare cached', 'train succeeded']);
    expect(read('model.bin')).toBe('1,2\nlr: 0.1\nother: 1\n');
    write({
      'dvc.yaml': TWO_STAGES.replace('  train:\n', '  train:\n    frozen: true\n'),
      'model.bin': 'edited by hand',
    });
    expect(states(await run())).toEqual(['prepare cached', 'train cached']);
    expect(read('model.bin')).toBe('edited by hand');
    rmSync(path.join(folder, 'model.bin'));
    expect(states(await run())).toEqual(['prepare cached', 'train restored']);
  });

  test('never removes an output that persists', async () => {
    const cmd = 'echo more >> log.txt';
    write({ 'dvc.yaml': `stages: {t: {cmd: "${cmd}", outs: [{log.txt: {persist: true}}]}}` });
    await run();
    write({ 'log.txt': 'more\nmine\n' });
    expect(states(await run())).toEqual(['t succeeded']);
    expect(read('log.txt')).toBe('more\nmine\nmore\n');
  });

  test('can be forced', async () => {
    writeTwoStages();
    await run();
    expect(states(await run(['prepare'], true))).toEqual(['prepare succeeded']);
    expect(read('ran')).toBe('prepare\ntrain\nprepare\n');
  });

  test('waits for the one before it in the same folder', async () => {
    write({ 'dvc.yaml': 'stages: {slow: {cmd: "touch began; sleep 0.4", always_changed: true}}' });
    const first = await start();
    await present('began');
    const second = await start();
    expect(second).toMatchObject({ state: 'queued', waitsFor: first.id });
    const [one, two] = [await ended(first.id), await ended(second.id)];
    expect([one.state, two.state]).toEqual(['succeeded', 'succeeded']);
    expect(Date.parse(two.startedAt!)).toBeGreaterThanOrEqual(Date.parse(one.finishedAt!));
  });

  test('is listed, newest first, and tells what it was asked', async () => {
    writeTwoStages();
    const first = await run(['prepare']);
    const second = await run();
    const page = await app.api.call(listPipelineRuns, { query: { limit: 1 } });
    expect(page.items.map(({ id }) => id)).toEqual([second.id]);
    const cursor = page.nextCursor ?? '';
    const rest = await app.api.call(listPipelineRuns, { query: { limit: 1, cursor } });
    expect(rest.items[0]).toMatchObject({ id: first.id, targets: ['prepare'], force: false });
  });
});

describe('a stage finds', () => {
  test('where to track and what its runs are to be tagged with', async () => {
    const pin = {
      millwright_pin: 1,
      training_set: { name: 'late_train', version: 3 },
      table: { name: 'training_sets.late_train', version: 0 },
      sources: [{ table: 'landings', version: 12 }],
      definition_hash: 'abc',
      later: 'unknown',
    };
    write({
      'dvc.yaml':
        'stages: {train: {cmd: ["env > env.txt", "which millwright"], deps: [pin.json], outs: [env.txt]}}',
      'pin.json': JSON.stringify(pin),
    });
    const done = await run();
    expect(done.error).toBeNull();
    const env = Object.fromEntries(
      read('env.txt')
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(env['MLFLOW_TRACKING_URI']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(env['MILLWRIGHT_URL']).toBe(env['MLFLOW_TRACKING_URI']);
    expect(JSON.parse(env['MLFLOW_RUN_CONTEXT'] ?? '')).toEqual({
      'millwright.step': done.steps[0]?.attempts[0]?.id,
      'millwright.pipeline_run': done.id,
      'millwright.stage': 'train',
      'millwright.command': 'env > env.txt\nwhich millwright',
      'millwright.code_tree': expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      'millwright.tables':
        '[{"table":"landings","version":12},{"table":"training_sets.late_train","version":0}]',
      'millwright.training_set': 'late_train@3',
      'millwright.definition': 'abc',
    });
    expect(done.steps[0]?.logTail).toBe(path.join(app.folder, 'bin', 'millwright'));
  });

  test('where its training sets end, once for one key', async () => {
    write({
      'dvc.yaml':
        'stages: {t: {cmd: "echo $MILLWRIGHT_TRAIN_UNTIL > until.txt", outs: [until.txt]}}',
    });
    const body = { folder, trainUntil: '2001-04-01T00:00:00Z', key: 'loop/late/1' };
    const { id } = await app.api.call(startPipeline, { body });
    const done = await ended(id);
    expect(done).toMatchObject({ state: 'succeeded', trainUntil: body.trainUntil });
    expect(read('until.txt')).toBe(`${body.trainUntil}\n`);
    expect((await app.api.call(startPipeline, { body })).id).toBe(id);
  });

  test('no broken pin', async () => {
    write({
      'dvc.yaml': 'stages: {t: {cmd: "true", deps: [pin.json]}}',
      'pin.json': '{"millwright_pin": 1, "sources": [{"table": "x"}]}',
    });
    const done = await run();
    expect(done.error?.message).toContain('pin.json: sources.0.version');
  });
});

describe('a stage that fails', () => {
  test('stops the run and shows its last words', async () => {
    write({
      'dvc.yaml':
        'stages: {a: {cmd: "echo reading; echo no such column >&2; exit 3", outs: [o]}, b: {cmd: cat o, deps: [o]}}',
    });
    const done = await run();
    expect(done.state).toBe('failed');
    expect(states(done)).toEqual(['a failed', 'b skipped']);
    expect(done.error).toMatchObject({
      code: 'STAGE_FAILED',
      message: 'Stage a failed: exit code 3\nreading\nno such column',
    });
    expect(existsSync(path.join(folder, 'dvc.lock'))).toBe(false);
  });

  test.each([
    ['kill -9 $$', 'SIGKILL (exit code 137)'],
    ['no-such-program', 'exit code 127'],
    ['true', 'it ended without making o'],
    ['echo "OSError: [Errno 28] No space left on device"; exit 1', 'a disk was full while it ran'],
  ])('says how, of %j', async (cmd, message) => {
    write({ 'dvc.yaml': `stages: {a: {cmd: '${cmd}', outs: [o]}}` });
    expect((await run()).error?.message).toContain(message);
  });

  test('is tried again as often as was said', async () => {
    write({
      'dvc.yaml':
        'stages: {a: {cmd: "echo x >> ran; test $(wc -l < ran) = 3", outs: [o], deps: []}}'.replace(
          'outs: [o], deps: []',
          'always_changed: true',
        ),
      'millwright.yaml': 'version: 1\npipelines: {stages: {a: {retries: 2}}}',
    });
    const done = await run();
    expect(done.state).toBe('succeeded');
    expect(done.steps[0]?.attempts.map(({ state }) => state)).toEqual([
      'failed',
      'failed',
      'succeeded',
    ]);
  });

  test('leaves nothing of a lost attempt beside the next', async () => {
    write({
      'dvc.yaml': 'stages: {a: {cmd: "echo $$ >> pids; sleep 60", always_changed: true}}',
      'millwright.yaml': 'version: 1\npipelines: {stages: {a: {retries: 1}}}',
    });
    const { id } = await start();
    const pids = (): readonly string[] =>
      existsSync(path.join(folder, 'pids')) ? read('pids').trim().split('\n') : [];
    while (pids().length < 1) await sleep(10);
    let leader: number | null = null;
    while (leader === null) {
      const now = await app.api.call(getPipelineRun, { params: { run: id } });
      leader = now.steps[0]?.attempts[0]?.pid ?? null;
    }
    process.kill(leader, 'SIGKILL');
    while (pids().length < 2) await sleep(10);
    expect(isRunning(Number(pids()[0]))).toBe(false);
    await app.api.call(cancelPipelineRun, { params: { run: id } });
    expect((await ended(id)).steps[0]?.attempts[0]?.state).toBe('lost');
  });

  test('runs again alone', async () => {
    writeTwoStages();
    write({ 'dvc.yaml': TWO_STAGES.replace('cat data/rows.csv', 'cat nowhere') });
    expect(states(await run())).toEqual(['prepare succeeded', 'train failed']);
    writeTwoStages();
    expect(states(await run())).toEqual(['prepare cached', 'train succeeded']);
  });
});

describe('refused is', () => {
  test.each([
    [{}, 'INVALID_PIPELINE', 'has no dvc.yaml'],
    [{ 'dvc.yaml': 'stages: {a: {cmd: x, shell: zsh}}' }, 'INVALID_PIPELINE', 'stages.a.shell'],
    [{ 'dvc.yaml': 'stages: {t: {cmd: x}}' }, 'STAGE_NOT_FOUND', 'no stage train'],
    [
      {
        'dvc.yaml': 'stages: {train: {cmd: x}}',
        'millwright.yaml': 'version: 1\npipelines: {x: 1}',
      },
      'INVALID_CONFIG',
      'millwright.yaml:2:13: pipelines.x: unknown key',
    ],
    [
      {
        'dvc.yaml': 'stages: {train: {cmd: x}}',
        'millwright.yaml': 'version: 1\npipelines: {stages: {trian: {retries: 1}}}',
      },
      'INVALID_CONFIG',
      'no such stage',
    ],
  ])('%j with %s', async (files, code, message) => {
    write(files);
    const failed = start(['train']);
    await expect(failed).rejects.toMatchObject({ code });
    await expect(failed).rejects.toThrow(message);
    const { items } = await app.api.call(listPipelineRuns, { query: {} });
    expect(items).toEqual([]);
  });

  test('a folder that does not exist, or is not absolute', async () => {
    const gone = app.api.call(startPipeline, { body: { folder: '/nowhere/at/all' } });
    await expect(gone).rejects.toMatchObject({ code: 'INVALID_PIPELINE' });
    const relative = app.api.call(startPipeline, { body: { folder: 'here' } });
    await expect(relative).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test.each([
    ['stages: {a: {cmd: x, deps: [gone.csv]}}', 'needs gone.csv, which does not exist'],
    ['stages: {a: {cmd: x, params: [lr]}}', 'needs params.yaml does not exist'],
  ])('%s when it runs', async (dvcYaml, message) => {
    write({ 'dvc.yaml': dvcYaml });
    const done = await run();
    expect(done.state).toBe('failed');
    expect(done.error?.message).toContain(message);
  });
});

test('a folder that a stage would remove with all that is in it is refused', async () => {
  write({ 'dvc.yaml': 'stages: {t: {cmd: x, wdir: a, outs: [..]}}', 'keep.txt': 'mine' });
  await expect(start()).rejects.toMatchObject({ code: 'INVALID_PIPELINE' });
  expect(read('keep.txt')).toBe('mine');
});

test('a link that leads to the project itself is not cleared through', async () => {
  write({ 'dvc.yaml': 'stages: {t: {cmd: x, outs: [self/.git]}}', '.git/keep': 'mine' });
  symlinkSync('.', path.join(folder, 'self'));
  const done = await run();
  expect(done.error?.message).toContain('self/.git');
  expect(read('.git/keep')).toBe('mine');
});

describe('cancelling', () => {
  test('kills the processes of the stage and skips the rest', async () => {
    write({
      'dvc.yaml':
        'stages: {a: {cmd: "sleep 60 & echo $! > began; sleep 61", outs: [o]}, b: {cmd: x, deps: [o]}}',
    });
    const { id } = await start();
    await present('began');
    await app.api.call(cancelPipelineRun, { params: { run: id } });
    const done = await ended(id);
    expect(done.state).toBe('cancelled');
    expect(states(done)).toEqual(['a cancelled', 'b skipped']);
    for (const pid of [done.steps[0]!.attempts[0]!.pid!, Number(read('began'))]) {
      expect(isRunning(pid)).toBe(false);
    }
    // Over is over.
    const again = await app.api.call(cancelPipelineRun, { params: { run: id } });
    expect(again.state).toBe('cancelled');
  });
});

test('a run that waits can be cancelled before it begins', async () => {
  write({ 'dvc.yaml': 'stages: {slow: {cmd: "touch began; sleep 60", always_changed: true}}' });
  const first = await start();
  await present('began');
  const second = await start();
  await app.api.call(cancelPipelineRun, { params: { run: second.id } });
  expect(states(await ended(second.id))).toEqual(['slow skipped']);
  await app.api.call(cancelPipelineRun, { params: { run: first.id } });
  expect((await ended(first.id)).state).toBe('cancelled');
});

test('a stage keeps away from what a dvc that runs is writing', async () => {
  const lock = { write: { [path.join(folder, 'data')]: { pid: process.pid, cmd: 'dvc repro' } } };
  writeTwoStages();
  write({ '.dvc/tmp/rwlock': JSON.stringify(lock) });
  const refused = await run();
  expect(refused.error?.message).toContain(`dvc repro (process ${process.pid}) is using`);
  expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  // One that has died has left its entry behind.
  write({ '.dvc/tmp/rwlock': JSON.stringify(lock).replace(`${process.pid}`, '4194303') });
  expect((await run()).state).toBe('succeeded');
});

describe('a log', () => {
  test('is read from where one stopped, in whole characters', async () => {
    write({ 'dvc.yaml': 'stages: {a: {cmd: "printf a€b", always_changed: true}}' });
    const { id } = await run();
    const params = { run: id, stage: 'a' };
    const first = await app.api.call(getStageLog, { params, query: { limit: 4 } });
    expect(first).toMatchObject({ text: 'a€', nextOffset: 4, isComplete: false });
    const rest = await app.api.call(getStageLog, { params, query: { offset: 4 } });
    expect(rest).toMatchObject({ text: 'b', nextOffset: 5, isCapped: false });
    const end = await app.api.call(getStageLog, { params, query: { offset: 5 } });
    expect(end).toMatchObject({ text: '', isComplete: true });
  });

  test('of nobody is refused', async () => {
    const params = { run: 'prun_0', stage: 'a' };
    const none = app.api.call(getStageLog, { params, query: {} });
    await expect(none).rejects.toMatchObject({ code: 'PIPELINE_RUN_NOT_FOUND' });
  });
});

/** One that has died and was not collected yet does not run. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}
