import type { Commands } from './cli/context.ts';
import type { MountedRoute } from './http/mount.ts';
import type { TaskHandlers, TaskMap } from './engine/port.ts';

/**
 * What a capability shows to the composition root. `routes` gets the service that `app` built;
 * `tasks` loads only in the engine process, because it imports the heavy native modules.
 */
export interface Capability<Service = never, TaskDeps = never, Tasks extends TaskMap = TaskMap> {
  readonly name: string;
  readonly routes?: (service: Service) => readonly MountedRoute[];
  readonly commands?: Commands;
  readonly tasks?: () => Promise<(deps: TaskDeps) => TaskHandlers<Tasks>>;
}

/** One difference between what `millwright.yaml` declares and what is. */
export interface PlannedChange {
  readonly action: 'create' | 'change' | 'remove';
  /** `view`, `service`, `endpoint`, ... */
  readonly kind: string;
  readonly name: string;
  /** What changes, for a person: `window 7d -> 14d`. */
  readonly summary: string;
}

/** The desired state of one capability: some top-level sections of `millwright.yaml`. */
export interface PlanPart {
  readonly sections: readonly string[];
  /** Compares without changing anything. Rejects with `INVALID_CONFIG`, `details.path` set. */
  plan(declared: Declared): Promise<readonly PlannedChange[]>;
  /** Makes it so and says what changed; repeating it changes nothing. */
  apply(declared: Declared, actor: string): Promise<readonly PlannedChange[]>;
}

/** The whole file's sections as plain values, still to be parsed by whoever owns them. */
export type Declared = Readonly<Record<string, unknown>>;
