import type { Micros } from '../base/time.ts';
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

/** A thing whose origin is known: `model` and `late@1`, `table` and `main.landings@3`. */
export interface LineageNode {
  readonly kind: string;
  readonly id: string;
}

/** `from` came from `to`, or rests on it: a model version `made by` a run. */
export interface LineageEdge {
  readonly from: LineageNode;
  readonly to: LineageNode;
  readonly relation: string;
}

/** What one capability knows of where its things came from and what came of them. */
export interface Links {
  /**
   * Edges that begin or end at the node, at most `limit`; none for kinds and ids it does not know.
   */
  linksOf(node: LineageNode, limit: number): Promise<readonly LineageEdge[]>;
}

/** What somebody wants to know of a model in production use. */
export interface FactQuestion {
  readonly endpoint: string;
  readonly model: string;
  /** Domain times: facts of before and after do not matter. */
  readonly since: Micros;
  readonly now: Micros;
}

/** Something that was recorded when it happened, or that holds now. */
export interface Fact {
  /** `run`, `revision`, `decision`, ... */
  readonly kind: string;
  /** By which it is looked up: `run_0192...`, `late@12`. */
  readonly subject: string;
  /** When it happened, in domain time; of what holds now, now. */
  readonly at: Micros;
  readonly wall: Micros;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What one capability has recorded about a model in production use. */
export interface Facts {
  /** A bounded number of them, the newest ones; nothing is computed that was not recorded. */
  factsOf(question: FactQuestion): Promise<readonly Fact[]>;
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
