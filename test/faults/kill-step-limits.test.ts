import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import {
  getPipelineRun,
  getStageLog,
  startPipeline,
  type PipelineRun,
} from '../../src/capabilities/pipelines/contract.ts';
import { STEP_LOG_BYTES_MAX } from '../../src/platform/exec/port.ts';
import { sleep } from '../../src/platform/system.ts';
import { runCommand } from './server-process.ts';
import { SmallDisk } from './small-disk.ts';

/** Scripts that hang, flood or fill: the pipeline ends, and says what happened. */

const MINUTE = 60_000;

let app: TestApp;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-limits-'));
  app = await createTestApp();
  await app.app.listen(0);
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function run(project: string): Promise<PipelineRun> {
  let now = await app.api.call(startPipeline, { body: { folder: project } });
  while (now.finishedAt === null) {
    await sleep(20);
    now = await app.api.call(getPipelineRun, { params: { run: now.id } });
  }
  return now;
}

function write(project: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(project, name), text);
}

describe('a script that', () => {
  test(
    'hangs is killed with what it started when its time is over',
    async () => {
      write(folder, {
        'dvc.yaml':
          'stages: {a: {cmd: "sleep 60 & echo $! > child; sleep 61", always_changed: true}}',
        'millwright.yaml': 'version: 1\npipelines: {stages: {a: {timeout: 1s}}}\n',
      });
      const done = await run(folder);
      expect(done.error?.message).toContain('Stage a failed: it took longer than 1 s');
      expect(done.steps[0]?.attempts[0]?.state).toBe('timed_out');
      const child = readFileSync(path.join(folder, 'child'), 'utf8').trim();
      const stat = `/proc/${child}/stat`;
      expect(existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'utf8'))).toBe(false);
    },
    MINUTE,
  );

  test(
    'floods its log keeps the first part of it, and is told so when it fails',
    async () => {
      write(folder, {
        'dvc.yaml':
          'stages: {a: {cmd: "yes flood | head -c 20000000; exit 9", always_changed: true}}',
      });
      const done = await run(folder);
      expect(done.error?.message).toContain(`its log was cut at ${STEP_LOG_BYTES_MAX} bytes`);
      expect(done.error?.message).toContain('exit code 9');
      const params = { run: done.id, stage: 'a' };
      const query = { offset: STEP_LOG_BYTES_MAX - 6 };
      expect(await app.api.call(getStageLog, { params, query })).toMatchObject({ isCapped: true });
    },
    MINUTE,
  );

  test(
    'fills the disk of the project is told so',
    async () => {
      const disk = new SmallDisk(4);
      try {
        write(disk.folder, {
          'dvc.yaml': 'stages: {a: {cmd: "echo on; cat /dev/zero > out", outs: [out]}}',
        });
        const done = await run(disk.folder);
        expect(done.state).toBe('failed');
        expect(done.error?.message).toMatch(/disk of .* is full|a disk was full while it ran/);
        expect(existsSync(path.join(disk.folder, 'dvc.lock'))).toBe(false);
      } finally {
        disk.unmount();
      }
    },
    MINUTE,
  );

  test(
    'leaves no room for its outputs in the cache fails, and can be run again',
    async () => {
      const disk = new SmallDisk(4);
      try {
        mkdirSync(path.join(disk.folder, '.dvc'));
        write(disk.folder, {
          'dvc.yaml': 'stages: {a: {cmd: "head -c 2500000 /dev/zero > out", outs: [out]}}',
        });
        const done = await run(disk.folder);
        expect(done.error).toMatchObject({ code: 'DISK_FULL' });
        write(disk.folder, {
          'dvc.yaml': 'stages: {a: {cmd: "head -c 1000000 /dev/zero > out", outs: [out]}}',
        });
        expect((await run(disk.folder)).error).toBeNull();
      } finally {
        disk.unmount();
      }
    },
    MINUTE,
  );
});

describe('the command line', () => {
  test(
    'prints a line for what happens and ends with 1 when a stage failed',
    async () => {
      write(folder, {
        'dvc.yaml':
          'stages: {a: {cmd: "millwright tables ls > out", outs: [out]}, b: {cmd: "echo no; exit 4", deps: [out]}}',
      });
      const state = path.join(folder, '.millwright');
      const options = { cwd: folder, env: { MILLWRIGHT_PORT: '0' } };
      const dry = await runCommand(['--state', state, 'run', '--dry'], options);
      expect(dry).toMatchObject({
        code: 0,
        stdout: '  a  runs: no lock entry\n  b  runs: no lock entry\n',
      });
      const failed = await runCommand(['--state', state, 'run'], options);
      expect(failed.code).toBe(1);
      expect(failed.stdout).toContain('  a  done in ');
      expect(failed.stdout).toContain('Stage b failed: exit code 4\nno\n');
      expect(failed.stdout).toMatch(/millwright pipelines log prun_\w+ b/);
      // The stage found the server it was started by.
      expect(readFileSync(path.join(folder, 'out'), 'utf8')).toContain('No tables yet');
      const json = await runCommand(['--state', state, 'run', 'a', '--json'], options);
      expect(JSON.parse(json.stdout)).toMatchObject({ state: 'succeeded' });
      const unknown = await runCommand(['--state', state, 'run', 'c'], options);
      expect(unknown.code).toBe(2);
      expect(unknown.stderr).toContain('dvc.yaml has no stage c');
    },
    MINUTE,
  );
});
