import type { Micros } from '../../base/time.ts';
import type { Cause, DecisionKind, InstanceState, LoopSpec } from './contract.ts';
import { LoopSpec as LoopSpecSchema } from './contract.ts';
import type { EndedInstance } from './cooldown.ts';
import type { Episodes } from './episodes.ts';
import type { TimeSpan } from './evaluation-span.ts';
import type { GuardLook } from './guard.ts';
import { NO_QUALITY, type QualityMemory } from './findings.ts';

/** What the tables of the loop hold, as rows and as the rest of the capability sees them. */

export interface LoopsRow {
  readonly name: string;
  readonly spec: string;
  readonly stopped: string | null;
  readonly resumed_at: Micros | null;
  readonly memory: string;
  readonly revision: number;
}

export interface InstancesRow {
  readonly id: string;
  readonly loop: string;
  readonly open_loop: string | null;
  readonly state: InstanceState;
  readonly is_manual: 0 | 1;
  readonly is_training: 0 | 1;
  readonly causes: string;
  readonly actor: string;
  readonly started_at: Micros;
  readonly ended_at: Micros | null;
  readonly model: string;
  readonly champion: number;
  readonly challenger: number | null;
  readonly course: string;
  readonly revision: number;
}

export interface DecisionsRow {
  readonly id: number;
  readonly loop: string;
  readonly instance: string | null;
  readonly at: Micros;
  readonly wall: Micros;
  readonly kind: DecisionKind;
  readonly actor: string;
  readonly reason: string;
  readonly inputs: string;
  readonly policy: string;
}

export interface LoopTables {
  readonly loop_loops: LoopsRow;
  readonly loop_instances: InstancesRow;
  readonly loop_decisions: DecisionsRow;
}

/** Who stopped a loop, and for how long. */
export interface Stop {
  readonly by: string;
  readonly reason: string;
  readonly since: Micros;
  readonly until: Micros | null;
}

/** An exclusion that the loop recorded, kept while a monitor still tells of it. */
export interface KnownExclusion {
  readonly id: string;
  /** The input whose unit changed. */
  readonly subject: string;
  /** The newest evaluation that found it. */
  readonly seen: Micros;
  /** Null while it goes on. */
  readonly until: Micros | null;
}

/** What a loop carries from one evaluation to the next. */
export interface LoopMemory {
  readonly episodes: Episodes;
  readonly quality: QualityMemory;
  readonly exclusions: readonly KnownExclusion[];
  /** The newest evaluation it has decided on. */
  readonly evaluatedAt: Micros | null;
}

export const NO_MEMORY: LoopMemory = {
  episodes: {},
  quality: NO_QUALITY,
  exclusions: [],
  evaluatedAt: null,
};

export interface StoredLoop {
  readonly name: string;
  readonly spec: LoopSpec;
  readonly stopped: Stop | null;
  /** Failures before it count no more. */
  readonly resumedAt: Micros | null;
  readonly memory: LoopMemory;
  /** Rises with every change. */
  readonly revision: number;
}

/** What an instance has come to know on its way. */
export interface Course {
  /** The stage that trains; null for a version that was there already. */
  readonly stage: string | null;
  readonly pipelineRun: string | null;
  readonly evaluation: TimeSpan;
  /** The route revision the challenger was compared under: it must still be current. */
  readonly routeRevision: number;
  /** Who wants it rolled out whatever the gate says, and why. */
  readonly override: { readonly actor: string; readonly reason: string } | null;
  readonly deployed: { readonly at: Micros; readonly revision: number } | null;
  /** Before this domain time there is nothing to do. */
  readonly nextLook: Micros;
  /** What the guard is waiting for. */
  readonly waitsFor: string | null;
  /** The guard's newest look; none before the first. */
  readonly look?: GuardLook;
}

export interface StoredInstance {
  readonly id: string;
  readonly loop: string;
  readonly state: InstanceState;
  readonly isManual: boolean;
  readonly causes: readonly Cause[];
  readonly actor: string;
  readonly startedAt: Micros;
  readonly endedAt: Micros | null;
  readonly model: string;
  readonly champion: number;
  readonly challenger: number | null;
  readonly course: Course;
  readonly revision: number;
}

const OVER: readonly InstanceState[] = [
  'promoted',
  'rolled_back',
  'rejected',
  'failed',
  'superseded',
];

export function isOver(state: InstanceState): state is EndedInstance['outcome'] {
  return OVER.includes(state);
}

export function toLoop(row: LoopsRow): StoredLoop {
  return {
    name: row.name,
    spec: LoopSpecSchema.parse(JSON.parse(row.spec)),
    stopped: row.stopped === null ? null : (JSON.parse(row.stopped) as Stop),
    resumedAt: row.resumed_at,
    memory: JSON.parse(row.memory) as LoopMemory,
    revision: row.revision,
  };
}

export function toInstance(row: InstancesRow): StoredInstance {
  const { id, loop, state, actor, model, champion, challenger, revision } = row;
  return {
    id,
    loop,
    state,
    isManual: row.is_manual === 1,
    causes: JSON.parse(row.causes) as readonly Cause[],
    actor,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    model,
    champion,
    challenger,
    course: JSON.parse(row.course) as Course,
    revision,
  };
}

export function fromInstance(instance: StoredInstance): InstancesRow {
  const { id, loop, state, actor, model, champion, challenger, course, revision } = instance;
  return {
    id,
    loop,
    open_loop: isOver(state) ? null : loop,
    state,
    is_manual: instance.isManual ? 1 : 0,
    is_training: course.stage === null ? 0 : 1,
    causes: JSON.stringify(instance.causes),
    actor,
    started_at: instance.startedAt,
    ended_at: instance.endedAt,
    model,
    champion,
    challenger,
    course: JSON.stringify(course),
    revision,
  };
}
