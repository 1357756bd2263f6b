import { formatInstant, micros, type Clock, type Micros } from '../../base/time.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Timers } from '../../platform/timers/port.ts';
import type { DecisionKind } from './contract.ts';
import { compilePolicy } from './loop-policy.ts';
import type { LoopStore } from './store.ts';
import type { StoredInstance, StoredLoop } from './stored.ts';

/** The handler of the timer that moves an instance on. */
export const STEP_TIMER = 'loop.step';
/** Who decides when no person does. */
export const LOOP_ACTOR = 'loop';

export interface RecorderDeps {
  readonly store: LoopStore;
  readonly events: Pick<Events, 'step'>;
  readonly timers: Pick<Timers, 'schedule' | 'cancel'>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly faults: Faults;
}

export interface NewDecision {
  readonly kind: DecisionKind;
  readonly at: Micros;
  readonly reason: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly instance: string | null;
  /** Default: the loop itself. */
  readonly actor?: string;
}

/** Writes decisions, each with its event and the change it makes, in one transaction. */
export class Recorder {
  readonly #deps: RecorderDeps;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
  }

  /** The steps of a decision; the event comes last (`Events.step`). */
  steps(loop: StoredLoop, decision: NewDecision): readonly Step[] {
    const { store, events, clock } = this.#deps;
    const { kind, at, reason, inputs, instance, actor = LOOP_ACTOR } = decision;
    const policy = compilePolicy(loop.name, loop.spec).hash;
    const row = { loop: loop.name, instance, at, wall: clock.wall(), kind, actor, reason, policy };
    return [
      store.insertDecision({ ...row, inputs: JSON.stringify(inputs) }),
      events.step({
        actor,
        kind: 'loop.decided',
        subject: `loop/${loop.name}`,
        data: { decision: kind, at: formatInstant(at), reason, instance },
      }),
    ];
  }

  /**
   * Moves the instance with the decision that says why, and sets when it is looked at next. An
   * instance that is over is looked at no more.
   */
  async move(
    loop: StoredLoop,
    instance: StoredInstance,
    by: {
      readonly change: Partial<Pick<StoredInstance, 'state' | 'challenger' | 'course' | 'endedAt'>>;
      /** Null for a look that decided nothing. */
      readonly decision: Omit<NewDecision, 'instance'> | null;
    },
  ): Promise<void> {
    const { store, faults } = this.#deps;
    const next = { ...instance, ...by.change };
    const decision = by.decision === null ? null : { ...by.decision, instance: instance.id };
    faults.hit('loop.before-decision');
    await store.write([
      store.changeInstance(instance, by.change),
      this.timer(next),
      ...(decision === null ? [] : this.steps(loop, decision)),
    ]);
    faults.hit('loop.after-decision');
  }

  /**
   * The timer for an instance's next look. It comes one microsecond late, so that a monitor's
   * evaluation of the same instant is heard before.
   */
  timer(instance: StoredInstance): Step {
    const { timers } = this.#deps;
    const key = { handler: STEP_TIMER, subject: `loop/${instance.loop}` };
    if (instance.endedAt !== null) return timers.cancel(key);
    const at = instance.course.nextLook;
    const payload = { loop: instance.loop, at };
    return timers.schedule({ ...key, clock: 'now', due: micros(at + 1), payload });
  }
}
