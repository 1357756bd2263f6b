import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Progress, StepContext, StepDeps } from './instance-steps.ts';
import { compilePolicy } from './loop-policy.ts';
import { stepGate, stepHeld } from './step-gate.ts';
import { stepGuard } from './step-guard.ts';
import { stepRollout } from './step-rollout.ts';
import { stepTraining } from './step-training.ts';
import type { StoredInstance } from './stored.ts';

/** An instance has fewer states than this, and passes each once. */
const STEPS_MAX = 20;
const CONFLICTS_MAX = 3;

/**
 * Moves the instance of a loop on as far as it goes. Everything it decides on is stored and every
 * step looks before it acts, so it may be called at any time and by any later process: repeating it
 * changes nothing, and what a killed one had begun is taken up.
 */
export class InstanceDriver {
  readonly #deps: StepDeps;
  /** By loop: two looks at one instance follow each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: StepDeps) {
    this.#deps = deps;
  }

  async drive(loop: string, at: Micros, signal: AbortSignal): Promise<void> {
    const former = this.#turns.get(loop) ?? Promise.resolve();
    const mine = former.then(() => this.#drive(loop, at, signal));
    this.#turns.set(
      loop,
      mine.catch(() => undefined),
    );
    await mine;
  }

  /**
   * Takes up what was left lying. On a replay clock it acts as of the time it should have: what
   * comes of it must not depend on when it was found.
   */
  async takeUp(loop: string, now: Micros, signal: AbortSignal): Promise<void> {
    const instance = await this.#deps.store.openInstance(loop);
    if (instance === null) return;
    const { nextLook } = instance.course;
    const at = this.#deps.isReplay && nextLook < now ? nextLook : now;
    await this.drive(loop, at, signal);
  }

  async #drive(name: string, at: Micros, signal: AbortSignal): Promise<void> {
    const { store } = this.#deps;
    let conflicts = 0;
    for (let steps = 0; !signal.aborted; steps += 1) {
      assert(steps < STEPS_MAX, `the instance of loop ${name} moves without end`);
      const loop = await store.findLoop(name);
      const instance = await store.openInstance(name);
      if (loop === null || instance === null) return;
      const policy = compilePolicy(name, loop.spec);
      const context = { loop, instance, policy, at: this.#notBefore(instance, at), signal };
      try {
        if ((await this.#step(context)) === 'wait') return;
      } catch (thrown) {
        // A cause that joined meanwhile: the instance is read again.
        conflicts += 1;
        const isConflict = thrown instanceof AppError && thrown.code === 'CONFLICT';
        if (!isConflict || conflicts > CONFLICTS_MAX) throw thrown;
      }
    }
  }

  /** An event that is heard again, older than the instance, must not date what it does now. */
  #notBefore({ state, startedAt, course }: StoredInstance, at: Micros): Micros {
    const isDue = state === 'evaluating' || state === 'rolling_out';
    const earliest = this.#deps.isReplay && isDue ? course.nextLook : startedAt;
    return at < earliest ? earliest : at;
  }

  async #step(context: StepContext): Promise<Progress> {
    switch (context.instance.state) {
      case 'training':
        return stepTraining(this.#deps, context);
      case 'evaluating':
        return stepGate(this.#deps, context);
      case 'held':
        return stepHeld(this.#deps, context);
      case 'rolling_out':
        return stepRollout(this.#deps, context);
      case 'guarding':
        return stepGuard(this.#deps, context);
      case 'promoted':
      case 'rolled_back':
      case 'rejected':
      case 'failed':
      case 'superseded':
        return 'wait';
    }
  }
}
