import type { TaskHandlers } from '../../platform/engine/port.ts';
import { columnDays, type ColumnDaysFound, type ColumnDaysInput } from './column-days.ts';
import type { EvaluateDeps } from './evaluate.ts';
import { fixedDays, type FixedDaysFound, type FixedDaysInput } from './fixed-days.ts';
import { qualityDays, type QualityDaysFound, type QualityDaysInput } from './quality-days.ts';

/** What the engine tells of what evaluations have kept. */
export type HistoryTasks = {
  readonly 'monitoring.quality-days': {
    readonly input: QualityDaysInput;
    readonly output: QualityDaysFound;
  };
  readonly 'monitoring.column-days': {
    readonly input: ColumnDaysInput;
    readonly output: ColumnDaysFound;
  };
  /** Scores days that are not kept yet, some a call. */
  readonly 'monitoring.fixed-days': {
    readonly input: FixedDaysInput;
    readonly output: FixedDaysFound;
  };
};

export function historyTasks(deps: EvaluateDeps): TaskHandlers<HistoryTasks> {
  // Several pages that ask for the same at once would score the same days.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    'monitoring.fixed-days': (input, { signal }) => {
      const mine = turn.then(() => fixedDays(deps, input, signal));
      turn = mine.catch(() => undefined);
      return mine;
    },
    'monitoring.quality-days': (input) => qualityDays(deps, input),
    'monitoring.column-days': (input) => columnDays(deps, input),
  };
}
