import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Log } from '../log/log.ts';
import { after, every } from '../system.ts';
import { Circuit } from './circuit.ts';
import { encodeFrame, FrameReader, type EngineMessage } from './frames.ts';
import { Heartbeat, HEARTBEAT, type HeartbeatLimits } from './heartbeat.ts';
import type { CircuitChange, EngineState, RunningEngine, TaskOptions } from './port.ts';
import { cpuTicksOf } from './process-cpu.ts';
import { cureOf, exitText, troubleText, type EngineTrouble } from './trouble.ts';

/** Tasks waiting for or running in the engine; more are refused so that memory stays bounded. */
export const TASKS_MAX = 1000;
/** How often a task is sent to a new engine after the former one died under it. */
const SENDS_MAX = 3;
const DEFAULT_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 5000;

interface PendingTask {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
  sends: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface SupervisorOptions {
  /** Entry file of the engine and its arguments; the process inherits this one's environment. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly log: Log;
  readonly heartbeat?: HeartbeatLimits;
}

/** Starts the engine process, another when it dies or hangs, and sends unfinished tasks again. */
export class EngineSupervisor implements RunningEngine {
  readonly #options: SupervisorOptions;
  readonly #tasks = new Map<number, PendingTask>();
  #child: ChildProcess | null = null;
  #socket: Socket | null = null;
  #state: EngineState = 'starting';
  #nextId = 1;
  #restarts = 0;
  readonly #circuit: Circuit;
  #retryAt = 0;
  #lastDeath: Pick<EngineTrouble, 'exit' | 'during'> = { exit: '', during: [] };
  #onCircuit: (change: CircuitChange, trouble: EngineTrouble) => void = () => undefined;
  #cancelTrial: () => void = () => undefined;
  #cancelRestart: () => void = () => undefined;
  #heartbeat: Heartbeat | null = null;
  #stopHeartbeat: () => void = () => undefined;
  #onExit: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#circuit = new Circuit(options.clock);
  }

  get state(): EngineState {
    const isSilent = this.#heartbeat?.isUnresponsive === true && this.#state !== 'stopped';
    return isSilent ? 'unresponsive' : this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get trouble(): EngineTrouble | null {
    if (!this.#circuit.isOpen) return null;
    const retryInMs = Math.max(0, Math.round(this.#retryAt - this.#options.clock.elapsed()));
    return { deaths: this.#circuit.deaths, ...this.#lastDeath, retryInMs };
  }

  onCircuit(listener: (change: CircuitChange, trouble: EngineTrouble) => void): void {
    this.#onCircuit = listener;
  }

  start(): void {
    const { entry, args, env, log } = this.#options;
    this.#circuit.started();
    this.#watchTrial();
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [entry, ...args], {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
        env: { ...env },
      });
    } catch (thrown) {
      // No memory for another process, perhaps: tried again like one that died.
      log.error('engine.spawn.failed', { error: String(thrown) });
      this.#exited(null, null);
      return;
    }
    // What cannot be started never exits either: too many open files, no memory.
    child.on('error', (error) => {
      log.error('engine.spawn.failed', { error: error.message });
      if (child.pid === undefined) this.#exited(null, null);
    });
    child.once('exit', (code, signal) => this.#exited(code, signal));
    if (child.pid !== undefined) this.#connect(child);
  }

  #connect(child: ChildProcess): void {
    // The fourth stdio is a socket pair: it has no path to guess and closes with either process.
    const socket = child.stdio[3] as Socket;
    this.#child = child;
    this.#socket = socket;
    const reader = new FrameReader();
    this.#watch(child);
    socket.on('data', (chunk: Buffer) => {
      this.#heartbeat?.heard();
      for (const message of reader.push(chunk)) this.#receive(message);
    });
    socket.on('error', (error) =>
      this.#options.log.warn('engine.socket.failed', { error: error.message }),
    );
  }

  /** An engine that lives long enough closes the circuit. */
  #watchTrial(): void {
    const { trialMs } = this.#circuit;
    if (trialMs === null) return;
    this.#cancelTrial = after(trialMs, () => {
      const { trouble } = this;
      if (trouble === null) return;
      this.#circuit.close();
      this.#options.log.info('engine.recovered', { deaths: trouble.deaths });
      this.#onCircuit('recovered', trouble);
    });
  }

  #watch(child: ChildProcess): void {
    const { clock, log, heartbeat: limits = HEARTBEAT } = this.#options;
    const cpuUsed = (): number | null => cpuTicksOf(child.pid!);
    const heartbeat = new Heartbeat({ clock, limits, cpuUsed });
    this.#heartbeat = heartbeat;
    this.#stopHeartbeat = every(limits.everyMs, () => {
      if (heartbeat.isHung()) {
        log.error('engine.hung', { pid: child.pid });
        child.kill('SIGKILL');
      } else this.#send({ kind: 'ping' });
    });
  }

  async run(name: string, input: unknown, options: TaskOptions = {}): Promise<unknown> {
    this.#refuseWhenUnavailable();
    const id = this.#nextId++;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        cancelTimeout();
        signal?.removeEventListener('abort', onAbort);
        this.#tasks.delete(id);
        settle();
      };
      const giveUp = (error: Error): void => {
        finish(() => reject(error));
        this.#send({ kind: 'cancel', id });
      };
      const onAbort = (): void => giveUp(new AppError('TIMED_OUT', `Task ${name} was cancelled.`));
      const cancelTimeout = after(timeoutMs, () =>
        giveUp(new AppError('TIMED_OUT', `Task ${name} took longer than ${timeoutMs} ms.`)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      const task: PendingTask = {
        id,
        name,
        input,
        sends: 0,
        resolve: (output) => finish(() => resolve(output)),
        reject: (error) => finish(() => reject(error)),
      };
      this.#tasks.set(id, task);
      if (this.#state === 'ready') this.#sendTask(task);
    });
  }

  /** Asks the engine to finish and waits; kills it when it does not within five seconds. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancelRestart();
    this.#cancelTrial();
    const stopping = new AppError('STOPPING', 'Millwright is stopping.');
    for (const task of this.#tasks.values()) task.reject(stopping);
    const child = this.#child;
    if (child === null) return;
    const exited = new Promise<void>((resolve) => {
      this.#onExit = resolve;
    });
    this.#send({ kind: 'stop' });
    const cancelKill = after(STOP_TIMEOUT_MS, () => child.kill('SIGKILL'));
    await exited;
    cancelKill();
  }

  #refuseWhenUnavailable(): void {
    if (this.#state === 'stopped') throw new AppError('STOPPING', 'Millwright is stopping.');
    if (this.#state === 'broken') throw this.#paused();
    if (this.#tasks.size >= TASKS_MAX) {
      throw new AppError('OVERLOADED', `The engine already has ${TASKS_MAX} tasks.`, {
        hint: 'Try again in a moment.',
      });
    }
  }

  #receive(message: EngineMessage): void {
    if (message.kind === 'ready') {
      // An engine may come up after it was already told to stop.
      if (this.#state === 'stopped') return;
      this.#state = 'ready';
      for (const task of this.#tasks.values()) this.#sendTask(task);
    } else if (message.kind === 'done') {
      this.#tasks.get(message.id)?.resolve(message.output);
    } else if (message.kind === 'failed') {
      const task = this.#tasks.get(message.id);
      const isOurs = message.error.code === 'INTERNAL';
      if (isOurs)
        this.#options.log.error('engine.task.failed', { task: task?.name, stack: message.log });
      task?.reject(AppError.fromBody(message.error));
    }
  }

  #sendTask(task: PendingTask): void {
    if (task.sends >= SENDS_MAX) {
      task.reject(
        new AppError('ENGINE_UNAVAILABLE', `The engine died ${SENDS_MAX} times on ${task.name}.`),
      );
      return;
    }
    task.sends += 1;
    try {
      this.#send({ kind: 'run', id: task.id, name: task.name, input: task.input });
    } catch (thrown) {
      // An input too large or of no form to send: the caller's mistake, not the other tasks'.
      task.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #send(message: EngineMessage): void {
    if (this.#socket?.writable === true) this.#socket.write(encodeFrame(message));
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = null;
    this.#socket = null;
    this.#stopHeartbeat();
    this.#heartbeat = null;
    if (this.#state === 'stopped') {
      this.#onExit();
      return;
    }
    this.#restarts += 1;
    this.#cancelTrial();
    const sent = [...this.#tasks.values()].filter(({ sends }) => sends > 0);
    const during = [...new Set(sent.map(({ name }) => name))];
    this.#lastDeath = { exit: exitText(code, signal), during };
    const wasOpen = this.#circuit.isOpen;
    const pauseMs = this.#circuit.died();
    this.#retryAt = this.#options.clock.elapsed() + pauseMs;
    const { trouble } = this;
    this.#state = trouble === null ? 'restarting' : 'broken';
    const death = { code, signal, during, restarts: this.#restarts, retry_in_ms: pauseMs };
    this.#options.log.warn('engine.exited', death);
    if (trouble !== null) {
      const error = this.#paused();
      for (const task of this.#tasks.values()) task.reject(error);
      if (!wasOpen) this.#onCircuit('paused', trouble);
    }
    this.#cancelRestart = after(pauseMs, () => this.start());
  }

  #paused(): AppError {
    const { trouble } = this;
    const what = trouble === null ? 'keeps dying and is paused' : troubleText(trouble);
    return new AppError('ENGINE_UNAVAILABLE', `The engine is paused: it ${what}.`, {
      hint: `${cureOf(this.#lastDeath)} Predictions are still answered and journaled.`,
    });
  }
}
