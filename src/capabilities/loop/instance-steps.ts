import { AppError, toAppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { DecisionKind, InstanceState } from './contract.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { sentence } from './phrases.ts';
import type { LoopPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';
import type { LoopStore } from './store.ts';
import type { StoredInstance, StoredLoop } from './stored.ts';

export interface StepDeps {
  readonly store: LoopStore;
  readonly ports: LoopPorts;
  readonly recorder: Recorder;
  readonly faults: Faults;
  /** On a replay clock a training holds it, so that its domain time is always the same. */
  readonly isReplay: boolean;
}

/** One look at an instance, as of a domain time. */
export interface StepContext {
  readonly loop: StoredLoop;
  readonly instance: StoredInstance;
  readonly policy: LoopPolicy;
  readonly at: Micros;
  readonly signal: AbortSignal;
}

/** `again`: it moved, and may move on at once; `wait`: something else has to happen first. */
export type Progress = 'again' | 'wait';

/** Ends an instance without a promotion, or with one. */
export async function end(
  { recorder }: Pick<StepDeps, 'recorder'>,
  { loop, instance, at }: StepContext,
  by: {
    readonly to: Extract<
      InstanceState,
      'promoted' | 'rolled_back' | 'rejected' | 'failed' | 'superseded'
    >;
    readonly reason: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly actor?: string;
  },
): Promise<Progress> {
  const { to, reason, inputs, actor } = by;
  const kind: DecisionKind = to;
  const said = { kind, at, reason: sentence(reason), inputs };
  await recorder.move(loop, instance, {
    change: { state: to, endedAt: at },
    decision: actor === undefined ? said : { ...said, actor },
  });
  return 'again';
}

/** Errors that say nothing about the instance: it is moved on later. */
const PASSING: ReadonlySet<string> = new Set([
  'CONFLICT',
  'STOPPING',
  'OVERLOADED',
  'TIMED_OUT',
  'ENGINE_UNAVAILABLE',
  'ENDPOINT_NOT_READY',
  'FEATURES_NOT_READY',
  'DATABASE_UNREACHABLE',
  'DISK_FULL',
  'COMMIT_CONFLICT',
]);

/** The refusal itself, for what another try would refuse as well; else it is thrown on. */
export function refusalOf(thrown: unknown, signal: AbortSignal): AppError {
  const error = toAppError(thrown);
  if (signal.aborted || error.status >= 500 || PASSING.has(error.code)) throw thrown;
  return error;
}
