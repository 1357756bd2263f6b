import type { TaskHandlers } from '../../platform/engine/port.ts';
import { columnDays, type ColumnDaysFound, type ColumnDaysInput } from './column-days.ts';
import type { EvaluateDeps } from './evaluate.ts';
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
};

export function historyTasks(deps: EvaluateDeps): TaskHandlers<HistoryTasks> {
  return {
    'monitoring.quality-days': (input) => qualityDays(deps, input),
    'monitoring.column-days': (input) => columnDays(deps, input),
  };
}
