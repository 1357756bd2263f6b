import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PipelineRun } from '../../src/capabilities/pipelines/contract.ts';
import { sleep } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { pointsOf } from './life.ts';
import {
  isAlive,
  killAll,
  Program,
  runCommand,
  startServer,
  tryStart,
  until,
} from './server-process.ts';

/** Main dies by SIGKILL around a pipeline's steps; no step runs twice, none is lost. */

const MINUTES_5 = 300_000;

let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-kill-step-'));
});
afterEach(killAll);
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

interface Place {
  readonly project: string;
  readonly state: string;
}

/** Writes its name into `witness` when it begins and, once `go` is there, when it ends. */
function waitingStage(name: string): string {
  const waits = 'while [ ! -e go ]; do sleep 0.05; done';
  const body = `echo ${name} >> witness; ${waits}; touch ${name}.out; echo ${name} >> witness`;
  return `  ${name}: {cmd: "${body}", deps: [raw.csv], outs: [${name}.out]}`;
}

/** Each stage writes its name into `witness` when it begins and again when it ends. */
function stage(name: string, needs: readonly string[], ms: number): string {
  const body = `echo ${name} >> witness; sleep ${ms / 1000}; echo ${name} made > ${name}.out; echo ${name} >> witness`;
  return `  ${name}: {cmd: "${body}", deps: [${needs.join(', ')}], outs: [${name}.out]}`;
}

function place(stages: readonly string[]): Place {
  count += 1;
  const project = path.join(root, String(count));
  mkdirSync(project);
  writeFileSync(path.join(project, 'raw.csv'), '1\n');
  writeFileSync(path.join(project, 'dvc.yaml'), `stages:\n${stages.join('\n')}\n`);
  return { project, state: path.join(project, '.millwright') };
}

function witness({ project }: Place): readonly string[] {
  const file = path.join(project, 'witness');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

async function start(url: string, { project }: Place): Promise<string> {
  const client = new HttpClient(url);
  const body = { folder: project };
  const run = await client.json<PipelineRun>('POST', '/api/v1/pipelines/runs', body);
  client.close();
  return run.id;
}

async function get(url: string, id: string): Promise<PipelineRun> {
  const client = new HttpClient(url);
  const { body } = await client.call({ path: `/api/v1/pipelines/runs/${id}` });
  client.close();
  return JSON.parse(body) as PipelineRun;
}

async function finished(url: string, id: string): Promise<PipelineRun> {
  let run = await get(url, id);
  await until('the run is over', async () => {
    run = await get(url, id);
    return run.finishedAt !== null;
  });
  return run;
}

async function running(url: string, id: string, name: string) {
  let run = await get(url, id);
  const find = () => run.steps.find((step) => step.stage === name)?.attempts[0];
  await until(`${name} runs`, async () => {
    run = await get(url, id);
    return find()?.state === 'running';
  });
  return find()!;
}

test(
  'a step that runs is adopted as the same process, and not run again',
  async () => {
    const at = place([waitingStage('long'), stage('next', ['long.out'], 0)]);
    const first = await startServer({ state: at.state });
    const id = await start(first.url, at);
    const before = await running(first.url, id, 'long');
    await until('it has begun', () => witness(at).length === 1);
    first.kill();
    await first.exited;
    expect(isAlive(before.pid!)).toBe(true);
    const second = await startServer({ state: at.state });
    const after = await running(second.url, id, 'long');
    expect([after.id, after.pid, after.startTime]).toEqual([
      before.id,
      before.pid,
      before.startTime,
    ]);
    writeFileSync(path.join(at.project, 'go'), '');
    const run = await finished(second.url, id);
    expect(run.state).toBe('succeeded');
    expect(run.steps.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
    expect(witness(at)).toEqual(['long', 'long', 'next', 'next']);
    await second.stop();
  },
  MINUTES_5,
);

test(
  'a step that ended while nobody was there counts',
  async () => {
    const at = place([stage('short', ['raw.csv'], 300)]);
    const first = await startServer({ state: at.state });
    const id = await start(first.url, at);
    await until('it has begun', async () => {
      await running(first.url, id, 'short');
      return witness(at).length === 1;
    });
    first.kill();
    await first.exited;
    await until('it has ended', () => witness(at).length === 2);
    await sleep(100);
    const second = await startServer({ state: at.state });
    const run = await finished(second.url, id);
    expect(run.state).toBe('succeeded');
    expect(run.steps[0]?.attempts[0]).toMatchObject({ state: 'succeeded', exitCode: 0 });
    expect(witness(at)).toEqual(['short', 'short']);
    await second.stop();
  },
  MINUTES_5,
);

test(
  'a step that was killed with the server is lost, and said to be',
  async () => {
    const at = place([stage('long', ['raw.csv'], 60_000)]);
    const first = await startServer({ state: at.state });
    const id = await start(first.url, at);
    const { pid } = await running(first.url, id, 'long');
    first.kill();
    await first.exited;
    process.kill(-pid!, 'SIGKILL');
    const second = await startServer({ state: at.state });
    const run = await finished(second.url, id);
    expect(run.state).toBe('failed');
    expect(run.error?.message).toContain('its processes were killed');
    await second.stop();
  },
  MINUTES_5,
);

test(
  'a command that owned the folder leaves its step to the next owner',
  async () => {
    const at = place([stage('long', ['raw.csv'], 1500)]);
    const words = ['--state', at.state, 'run', '--json'];
    const command = new Program(words, { cwd: at.project, env: { MILLWRIGHT_PORT: '0' } });
    await until('it has begun', () => witness(at).length === 1);
    command.kill();
    await command.exited;
    // The next command waits for the step of the former, then finds it done.
    const again = await runCommand(words, { cwd: at.project, env: { MILLWRIGHT_PORT: '0' } });
    expect(again.code).toBe(0);
    const run = JSON.parse(again.stdout) as PipelineRun;
    expect(run.steps[0]?.state).toBe('cached');
    expect(witness(at)).toEqual(['long', 'long']);
  },
  MINUTES_5,
);

describe('main killed', () => {
  test.each(pointsOf('step'))(
    'at %s neither repeats nor loses a step',
    async (point) => {
      for (const nth of [1, 2]) {
        const at = place([
          stage('one', ['raw.csv'], 20),
          stage('two', ['one.out'], 20),
          stage('three', ['two.out'], 20),
        ]);
        const env = { MILLWRIGHT_FAULT: `${point}:${nth}` };
        const first = await tryStart({ state: at.state, env });
        const id = await start(first.url, at);
        // This point lies in the engine, which dies instead and is started again.
        const isEngine = point === 'step.after-manifest';
        if (isEngine) await finished(first.url, id).catch(() => undefined);
        else await until(`main dies at ${point}`, () => !first.isRunning);
        if (isEngine) first.kill();
        await first.exited;
        const second = await startServer({ state: at.state });
        const run = await finished(second.url, id);
        expect(run.error).toBeNull();
        expect(run.steps.map(({ state }) => state)).toEqual([
          'succeeded',
          'succeeded',
          'succeeded',
        ]);
        expect(witness(at)).toEqual(['one', 'one', 'two', 'two', 'three', 'three']);
        for (const step of run.steps) expect(step.outputs).toHaveLength(1);
        await second.stop();
      }
    },
    MINUTES_5,
  );
});
