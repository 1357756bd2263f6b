import type { TaskHandlers } from '../../platform/engine/port.ts';
import {
  MonitorEvaluation,
  type EvaluateDeps,
  type EvaluateInput,
  type EvaluateOutcome,
} from './evaluate.ts';
import { historyTasks, type HistoryTasks } from './history-tasks.ts';
import { answeredBy, type Answered } from './label-events.ts';
import type { Period } from './periods.ts';

/** What the engine does for monitors. */
export type MonitoringTasks = HistoryTasks & {
  /** Which versions answered in the period, on which definitions. */
  readonly 'monitoring.answered': {
    readonly input: Period & { readonly endpoint: string };
    readonly output: readonly Answered[];
  };
  /** Reads what is new since the last evaluation, and judges. */
  readonly 'monitoring.evaluate': {
    readonly input: EvaluateInput;
    readonly output: EvaluateOutcome;
  };
};

export function monitoringTasks(deps: EvaluateDeps): TaskHandlers<MonitoringTasks> {
  // Two evaluations of one endpoint would write the same summaries.
  const turns = new Map<string, Promise<unknown>>();
  return {
    ...historyTasks(deps),
    'monitoring.answered': (input, { signal }) => answeredBy(deps, input, signal),
    'monitoring.evaluate': (input, { signal }) => {
      const before = turns.get(input.endpoint) ?? Promise.resolve();
      const mine = before.then(() => new MonitorEvaluation(deps, input, signal).run());
      turns.set(
        input.endpoint,
        mine.catch(() => undefined),
      );
      return mine;
    },
  };
}
