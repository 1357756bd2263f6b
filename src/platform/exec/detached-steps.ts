import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import { sleep } from '../system.ts';
import { makeFolder } from './durable-file.ts';
import {
  STEP_LOG_BYTES_MAX,
  type ProcessIdentity,
  type StepLaunch,
  type Steps,
  type StepState,
} from './port.ts';
import { ageMs, bootId, isAlive, isReplaced, parseProcessFile } from './process-identity.ts';
import { shellWords, STEP_SCRIPT } from './step-script.ts';

/** Linux takes 128 KiB in one argument. */
const COMMAND_BYTES_MAX = 100_000;
/** From the claim to the identity the script needs a millisecond or two. */
const CLAIMED_MS_MAX = 5000;
const LOOK_MS = 5;
/** In the place of a process: the step was waited for in vain and may not begin any more. */
const GIVEN_UP = '';

/** Steps as processes of this machine, each in a session of its own; needs Linux's `/proc`. */
export class DetachedSteps implements Steps {
  readonly #clock: Pick<Clock, 'elapsed'>;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  async launch(step: StepLaunch): Promise<ProcessIdentity> {
    const { folder, commands, cwd, env } = step;
    assertPossible(commands);
    await makeFolder(folder);
    const shell = shellWords(env);
    const child = spawn(
      '/bin/sh',
      ['-c', STEP_SCRIPT, 'millwright-step', folder, String(STEP_LOG_BYTES_MAX)].concat(
        [String(shell.length), ...shell],
        commands,
      ),
      { detached: true, stdio: 'ignore', cwd, env: { ...env } },
    );
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) =>
        reject(
          new AppError('STAGE_FAILED', `it could not be started: ${error.message}`, {
            cause: error,
          }),
        ),
      );
    });
    failed.catch(() => undefined);
    child.unref();
    return Promise.race([this.#identity(folder), failed]);
  }

  async observe(folder: string): Promise<StepState> {
    let process = await readProcess(folder);
    if (process === null) {
      const isGivenUp = (await readProcessText(folder)) === GIVEN_UP;
      if (!isGivenUp && (await claim(folder))) return { kind: 'unstarted' };
      process = isGivenUp ? null : await this.#identity(folder).catch(() => null);
      if (process === null) return { kind: 'lost', reason: 'it died before its commands began' };
    }
    // In this order: once the process is gone, the file no longer changes.
    const alive = isAlive(process);
    const code = await readExit(folder);
    if (alive && code !== null) return { kind: 'ending', process, code };
    if (alive) return { kind: 'running', process, ageMs: ageMs(process) };
    if (code !== null) return { kind: 'exited', code };
    const isOtherBoot = process.bootId !== bootId();
    const reason = isOtherBoot ? 'the machine was restarted' : 'its processes were killed';
    return { kind: 'lost', reason };
  }

  async stop(folder: string, graceMs: number): Promise<void> {
    const process = await readProcess(folder);
    if (process === null || process.bootId !== bootId()) return;
    const deadline = this.#clock.elapsed() + graceMs;
    signalGroup(process, 'SIGTERM');
    while (isAlive(process) && this.#clock.elapsed() < deadline) await sleep(LOOK_MS);
    signalGroup(process, 'SIGKILL');
    while (isAlive(process)) await sleep(LOOK_MS);
  }

  async #identity(folder: string): Promise<ProcessIdentity> {
    const deadline = this.#clock.elapsed() + CLAIMED_MS_MAX;
    for (;;) {
      const process = await readProcess(folder);
      if (process !== null) return process;
      if (this.#clock.elapsed() > deadline && (await giveUp(folder))) {
        throw new AppError('STAGE_FAILED', 'it did not start within 5 s', {
          hint: 'Is the disk of the state folder full, or the machine out of processes?',
        });
      }
      await sleep(LOOK_MS);
    }
  }
}

function assertPossible(commands: readonly string[]): void {
  if (bootId() === null) {
    throw new AppError(
      'COMPONENT_MISSING',
      'Pipelines run on Linux only: there is no /proc here.',
      {
        hint: 'Run Millwright on Linux, in a container or a virtual machine.',
      },
    );
  }
  for (const command of commands) {
    if (Buffer.byteLength(command) <= COMMAND_BYTES_MAX) continue;
    throw new AppError('INVALID_PIPELINE', `A command is longer than ${COMMAND_BYTES_MAX} bytes.`, {
      hint: 'Put it into a script.',
    });
  }
}

/** True when nobody had claimed the attempt: then a starter that comes late gives up. */
async function claim(folder: string): Promise<boolean> {
  await makeFolder(folder);
  return mkdir(path.join(folder, 'claim')).then(
    () => true,
    () => false,
  );
}

async function readProcess(folder: string): Promise<ProcessIdentity | null> {
  const text = await readProcessText(folder);
  return text === null ? null : parseProcessFile(text);
}

async function readProcessText(folder: string): Promise<string | null> {
  return readFile(path.join(folder, 'process'), 'utf8').catch(() => null);
}

/** Takes the name that a step which begins has to take; false when the step did so before. */
async function giveUp(folder: string): Promise<boolean> {
  try {
    await writeFile(path.join(folder, 'process'), GIVEN_UP, { flag: 'wx' });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    return (await readProcess(folder)) === null;
  }
  return true;
}

/** The exit status, null while there is none. */
async function readExit(folder: string): Promise<number | null> {
  const text = await readFile(path.join(folder, 'exit'), 'utf8').catch(() => '');
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null;
}

/**
 * The group lives as long as one of its processes, and so long nobody else gets its number; a
 * group without its leader is signalled only while nobody else has the leader's pid.
 */
function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isReplaced(leader)) return;
  try {
    process.kill(-leader.pid, signal);
  } catch {
    // Nobody is left.
  }
}
