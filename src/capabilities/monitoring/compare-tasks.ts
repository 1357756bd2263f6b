import type { TaskHandlers } from '../../platform/engine/port.ts';
import {
  compareVersions,
  type CompareDeps,
  type CompareInput,
  type CompareOutcome,
} from './compare-versions.ts';

/** What the engine does to compare versions. */
export type CompareTasks = {
  /** Scores versions on logged requests or on rows of a training set. */
  readonly 'monitoring.compare': { readonly input: CompareInput; readonly output: CompareOutcome };
};

export function compareTasks(deps: CompareDeps): TaskHandlers<CompareTasks> {
  return {
    'monitoring.compare': (input, { signal }) => compareVersions(deps, input, signal),
  };
}
