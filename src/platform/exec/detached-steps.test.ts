import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processEnv, sleep, systemClock } from '../system.ts';
import { DetachedSteps } from './detached-steps.ts';
import { STEP_LOG_BYTES_MAX, type StepState } from './port.ts';
import { bootId, isAlive } from './process-identity.ts';
import { shellWords } from './step-script.ts';

let folder: string;
const steps = new DetachedSteps(systemClock);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-steps-'));
});

afterEach(async () => {
  await steps.stop(path.join(folder, 'a'), 0);
  rmSync(folder, { recursive: true, force: true });
});

const attempt = (): string => path.join(folder, 'a');

function launch(...commands: string[]) {
  const env = { ...processEnv, SHELL: '/bin/bash' };
  return steps.launch({ folder: attempt(), commands, cwd: folder, env });
}

async function ended(): Promise<StepState> {
  for (;;) {
    const state = await steps.observe(attempt());
    if (state.kind !== 'running' && state.kind !== 'ending') return state;
    await sleep(5);
  }
}

function log(): string {
  return readFileSync(path.join(attempt(), 'log'), 'utf8');
}

describe('a step', () => {
  test('runs its commands in order, writes its log and says how it ended', async () => {
    await launch('echo one', 'echo two >&2', 'exit 3', 'echo never');
    expect(await ended()).toEqual({ kind: 'exited', code: 3 });
    expect(log()).toBe('one\ntwo\n');
  });

  test('has a session of its own and nothing to read from', async () => {
    const identity = await launch('cat; ps -o sid= -p $$; pwd');
    expect(await ended()).toEqual({ kind: 'exited', code: 0 });
    const [sid, cwd] = log().trim().split('\n');
    expect(Number(sid)).toBe(identity.pid);
    expect(cwd).toBe(folder);
  });

  test('is found again by whoever comes next, as the same process', async () => {
    const identity = await launch('sleep 0.3; echo done');
    const found = await new DetachedSteps(systemClock).observe(attempt());
    expect(found).toMatchObject({ kind: 'running', process: identity });
    expect(found.kind === 'running' && found.ageMs).toBeLessThan(300);
    expect(await ended()).toEqual({ kind: 'exited', code: 0 });
    expect(log()).toBe('done\n');
  });

  test('tells the signal that ended its command', async () => {
    await launch('kill -SEGV $$');
    expect(await ended()).toEqual({ kind: 'exited', code: 139 });
  });

  test('is lost when all of it was killed', async () => {
    const { pid } = await launch('sleep 60');
    process.kill(-pid, 'SIGKILL');
    expect(await ended()).toEqual({ kind: 'lost', reason: 'its processes were killed' });
  });

  test('of another boot is lost, unless it had ended', async () => {
    await launch('exit 0');
    await ended();
    const file = path.join(attempt(), 'process');
    writeFileSync(file, readFileSync(file, 'utf8').replace(bootId()!, 'another'));
    expect(await steps.observe(attempt())).toEqual({ kind: 'exited', code: 0 });
    writeFileSync(path.join(attempt(), 'exit'), 'pending\n');
    const reason = 'the machine was restarted';
    expect(await steps.observe(attempt())).toEqual({ kind: 'lost', reason });
  });

  test('that nobody started never starts once that was seen', async () => {
    expect(await steps.observe(attempt())).toEqual({ kind: 'unstarted' });
    await expect(launch('touch ran')).rejects.toThrow('did not start');
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  }, 20_000);

  test('that was given up never starts, however late it would', async () => {
    const slow = path.join(folder, 'mkdir');
    writeFileSync(slow, '#!/bin/sh\n/bin/mkdir "$@" && sleep 6\n', { mode: 0o755 });
    const env = { ...processEnv, PATH: `${folder}:${processEnv['PATH'] ?? ''}` };
    const commands = ['touch ran'];
    const late = steps.launch({ folder: attempt(), commands, cwd: folder, env });
    await expect(late).rejects.toThrow('did not start');
    const reason = 'it died before its commands began';
    expect(await steps.observe(attempt())).toEqual({ kind: 'lost', reason });
    await sleep(2000);
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
    expect(await steps.observe(attempt())).toEqual({ kind: 'lost', reason });
  }, 20_000);

  test('cannot be mistaken for another process with its pid', async () => {
    const identity = await launch('exit 0');
    await ended();
    expect(isAlive({ ...identity, pid: process.pid })).toBe(false);
  });
});

describe('stopping', () => {
  test('asks first', async () => {
    await launch("trap 'echo asked; exit 7' TERM; touch ready; while :; do sleep 0.02; done");
    while (!existsSync(path.join(folder, 'ready'))) await sleep(5);
    await steps.stop(attempt(), 5000);
    expect(await steps.observe(attempt())).toEqual({ kind: 'exited', code: 7 });
    expect(log()).toContain('asked');
  });

  test('kills what does not listen, with what it started', async () => {
    await launch("trap '' TERM; sleep 61 & echo $!; touch ready; sleep 62");
    while (!existsSync(path.join(folder, 'ready'))) await sleep(5);
    await steps.stop(attempt(), 50);
    expect((await steps.observe(attempt())).kind).toBe('lost');
    const child = Number(log().trim());
    await sleep(20);
    expect(existsSync(`/proc/${child}/stat`) && !isZombie(child)).toBe(false);
  });
});

test('what a command leaves running is told apart from the command', async () => {
  await launch('sleep 60 & exit 4');
  for (;;) {
    const state = await steps.observe(attempt());
    if (state.kind === 'ending') break;
    expect(state.kind).toBe('running');
    await sleep(5);
  }
  await steps.stop(attempt(), 0);
  expect(await steps.observe(attempt())).toEqual({ kind: 'exited', code: 4 });
});

test('a log ends at its limit, and the step does not', async () => {
  await launch(`head -c ${STEP_LOG_BYTES_MAX + 1_000_000} /dev/zero; touch after; exit 5`);
  expect(await ended()).toEqual({ kind: 'exited', code: 5 });
  expect(statSync(path.join(attempt(), 'log')).size).toBe(STEP_LOG_BYTES_MAX);
  expect(existsSync(path.join(folder, 'after'))).toBe(true);
});

test('shells are called without their startup files', () => {
  expect(shellWords({ SHELL: '/usr/bin/bash' })).toEqual([
    '/usr/bin/bash',
    '--noprofile',
    '--norc',
  ]);
  expect(shellWords({ SHELL: '/bin/zsh' })).toEqual(['/bin/zsh', '--no-rcs']);
  expect(shellWords({})).toEqual(['/bin/sh']);
});

function isZombie(pid: number): boolean {
  return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

test('a log can be read while it is written', async () => {
  await launch('echo early; sleep 60');
  while (log() !== 'early\n') await sleep(5);
  expect((await steps.observe(attempt())).kind).toBe('running');
});
