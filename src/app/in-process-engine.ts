import { AppError } from '../base/errors.ts';
import type { RunningEngine, TaskOptions } from '../platform/engine/port.ts';
import { noFaults } from '../platform/fault-points.ts';
import type { KvWriter } from '../platform/kv/port.ts';
import { silentLog } from '../platform/log/log.ts';
import type { StateFolder } from '../platform/state/state-folder.ts';
import { systemClock } from '../platform/system.ts';
import { openEngineTasks } from './engine-tasks.ts';

/** The engine's tasks without its process: what tests of one capability need, in milliseconds. */
export class InProcessEngine implements RunningEngine {
  readonly pid = null;
  readonly restarts = 0;
  readonly trouble = null;
  readonly #folder: StateFolder;
  readonly #index: KvWriter;
  readonly #stopping = new AbortController();
  #opening: ReturnType<typeof openEngineTasks> | null = null;

  constructor(folder: StateFolder, index: KvWriter) {
    this.#folder = folder;
    this.#index = index;
  }

  get state(): RunningEngine['state'] {
    return this.#stopping.signal.aborted ? 'stopped' : 'ready';
  }

  async run(name: string, input: unknown, options: TaskOptions = {}): Promise<unknown> {
    if (this.state === 'stopped') throw new AppError('STOPPING', 'Millwright is stopping.');
    this.#opening ??= openEngineTasks({
      folder: this.#folder,
      index: this.#index,
      clock: systemClock,
      faults: noFaults,
      log: silentLog,
    });
    const { handlers } = await this.#opening;
    const handler = handlers[name];
    if (handler === undefined) throw new AppError('INTERNAL', `The engine has no task ${name}.`);
    const { signal } = this.#stopping;
    // A copy, as the socket makes one: no task may share objects with its caller.
    const output = await handler(structuredClone(input), {
      signal: options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]),
    });
    return structuredClone(output);
  }

  /** It never dies alone. */
  onCircuit(): void {}

  async stop(): Promise<void> {
    this.#stopping.abort();
    const opened = await this.#opening;
    await opened?.close();
  }
}
