import { toAppError } from '../../base/errors.ts';
import { micros, parseInstant, type Clock } from '../../base/time.ts';
import type { EventHandler, Events, StoredEvent } from '../../platform/events/port.ts';
import type { Log } from '../../platform/log/log.ts';
import { every } from '../../platform/system.ts';
import type { Timers } from '../../platform/timers/port.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Admissions } from './admissions.ts';
import type { InstanceDriver } from './instance-driver.ts';
import type { Monitors } from './ports.ts';
import { STEP_TIMER } from './recorder.ts';
import type { LoopStore } from './store.ts';

/** How soon an instance is taken up again that met a trouble which passes. */
const SWEEP_MS = 30_000;
/** Loops looked at in one sweep: one for each model of a team. */
const LOOPS_MAX = 1000;

export interface FollowerDeps {
  readonly store: LoopStore;
  readonly monitors: Monitors;
  readonly admissions: Admissions;
  readonly driver: InstanceDriver;
  readonly events: Pick<Events, 'consume'>;
  readonly timers: Pick<Timers, 'handle'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** Hears what loops act on: evaluations, decisions, ends of pipelines, and their own timers. */
export class Follower {
  readonly #deps: FollowerDeps;
  readonly #stopping = new AbortController();
  #sweeping: Promise<void> | null = null;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<() => Promise<void>> {
    const { events, timers, driver } = this.#deps;
    timers.handle(STEP_TIMER, async ({ payload }, { signal }) => {
      const { loop, at } = payload as { loop: string; at: number };
      await driver.drive(loop, micros(at), this.#either(signal));
    });
    const handler: EventHandler = (event, { signal }) => this.#hear(event, signal);
    const consumer = await events.consume('loop', handler, { from: 'next' });
    const stopSweeping = every(SWEEP_MS, () => {
      this.#sweeping ??= this.#sweep().finally(() => {
        this.#sweeping = null;
      });
    });
    return async () => {
      stopSweeping();
      this.#stopping.abort();
      await this.#sweeping;
      await consumer.stop();
    };
  }

  async #hear(event: StoredEvent, signal: AbortSignal): Promise<readonly Step[] | void> {
    const { kind, subject, data } = event;
    const name = subject.slice(subject.indexOf('/') + 1);
    if (kind === 'monitor.evaluated') return this.#evaluated(name, String(data['evaluation']));
    if (kind === 'loop.decided') {
      // The decision's own time, as a timer may have come a microsecond after it.
      const at = parseInstant(String(data['at'])) ?? event.now;
      await this.#deps.driver.drive(name, at, this.#either(signal));
    }
    if (kind === 'pipeline.finished') {
      for (const loop of await this.#loops()) {
        const instance = await this.#deps.store.openInstance(loop);
        if (instance?.course.pipelineRun !== name) continue;
        await this.#deps.driver.drive(loop, event.now, this.#either(signal));
      }
    }
    return undefined;
  }

  /** The decision commits with the consumer's position; its own event moves the instance on. */
  async #evaluated(monitor: string, id: string): Promise<readonly Step[] | void> {
    const { store, monitors, admissions } = this.#deps;
    const steps: Step[] = [];
    for (const name of await this.#loops()) {
      const loop = await store.findLoop(name);
      if (loop === null || (loop.spec.endpoint ?? name) !== monitor) continue;
      const evaluation = await monitors.evaluation(monitor, id);
      if (evaluation === null) continue;
      steps.push(...(await admissions.onEvaluation(loop, evaluation)).steps);
    }
    return steps;
  }

  /** What an error kept from moving on when it was its turn; looks that are not due do nothing. */
  async #sweep(): Promise<void> {
    const { driver, clock, log } = this.#deps;
    for (const loop of await this.#loops()) {
      try {
        await driver.takeUp(loop, clock.now(), this.#stopping.signal);
      } catch (thrown) {
        if (this.#stopping.signal.aborted) return;
        log.warn('loop.step.failed', { loop, error: toAppError(thrown).message });
      }
    }
  }

  async #loops(): Promise<readonly string[]> {
    const loops = await this.#deps.store.listLoops({ after: null, limit: LOOPS_MAX });
    return loops.map(({ name }) => name);
  }

  #either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#stopping.signal]);
  }
}
