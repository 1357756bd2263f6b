import type { Micros } from '../../base/time.ts';
import type { GateMetric } from './contract.ts';
import type { TimeSpan } from './evaluation-span.ts';
import type { EvaluationFacts, Release } from './findings.ts';
import type { Comparison, Guardrail, TrainedOn } from './gate.ts';
import type { GuardLimits } from './guard.ts';

/** What the loop asks of the rest of the program; the composition root adapts it. */

export interface Monitors {
  /** Null when it is gone. */
  evaluation(monitor: string, id: string): Promise<EvaluationFacts | null>;
  /** The newest one; null before the first. */
  latest(monitor: string): Promise<EvaluationFacts | null>;
}

export interface TrainingState {
  readonly state: 'running' | 'succeeded' | 'failed';
  /** Why it failed, for a person. */
  readonly error: string | null;
}

export interface Trainer {
  /** Starts the stage and answers its run; with a key that is known, the run that is there. */
  start(request: {
    readonly folder: string | null;
    readonly stage: string;
    /** No training set takes rows from here on. */
    readonly trainUntil: Micros;
    readonly key: string;
  }): Promise<string>;
  get(run: string): Promise<TrainingState>;
  /** Waits until it is over; rejects when the signal aborts. */
  ended(run: string, signal: AbortSignal): Promise<TrainingState>;
}

export interface RouteChange {
  readonly endpoint: string;
  /** Rejects with `STALE_REVISION` unless this is the current one. */
  readonly ifRevision: number;
  readonly reason: string;
}

export interface Releases {
  /** Null while nothing is deployed, or nobody knows the endpoint. */
  current(endpoint: string): Promise<Release | null>;
  /** Of the endpoint's rollout; null when it declares none. */
  guardOf(endpoint: string): Promise<GuardLimits | null>;
  /** All traffic to the version; answers the new revision. */
  deploy(change: RouteChange & { readonly version: number }): Promise<number>;
  /** The arms of a former revision again; answers the new one. */
  rollback(change: RouteChange & { readonly to: number }): Promise<number>;
  /** The alias `champion` to the version. */
  promote(model: string, version: number): Promise<void>;
}

export interface Candidates {
  /** The newest version of the model that the pipeline run registered; null when there is none. */
  madeBy(request: { readonly model: string; readonly pipelineRun: string }): Promise<number | null>;
  /** Rejects with `MODEL_VERSION_NOT_FOUND`. */
  require(model: string, version: number): Promise<void>;
  trainedOn(model: string, version: number): Promise<TrainedOn>;
  /** Signature, definition and latency of the challenger beside the champion's. */
  guardrails(request: {
    readonly endpoint: string;
    readonly model: string;
    readonly champion: number;
    readonly challenger: number;
  }): Promise<readonly Guardrail[]>;
}

interface Versions {
  readonly model: string;
  readonly champion: number;
  readonly challenger: number;
  readonly metric: GateMetric;
  readonly level: number;
}

export interface Judge {
  /** Both versions on rows of a training set's version with T in the span. */
  onRows(
    request: Versions & {
      readonly trainingSet: string;
      readonly trainingVersion: number;
      readonly span: TimeSpan;
      readonly at: Micros;
    },
  ): Promise<Comparison>;
  /** Both on the logged requests of the span, with labels by `at`; null without any. */
  onLog(
    request: Versions & {
      readonly endpoint: string;
      readonly span: TimeSpan;
      readonly at: Micros;
    },
  ): Promise<Comparison | null>;
}

export interface EvaluationRows {
  /** Builds the set's rows with T in the span, once; answers the version. */
  build(request: { readonly trainingSet: string; readonly span: TimeSpan }): Promise<number>;
}

export interface Requests {
  /** How long the endpoint's labels take to mature. */
  matureMicros(endpoint: string): Promise<number>;
  /** Requests of the span with a label by `at`. */
  labelled(request: {
    readonly endpoint: string;
    readonly span: TimeSpan;
    readonly at: Micros;
  }): Promise<number>;
  /** Requests of the span that the version answered, and those of them that failed. */
  answered(request: {
    readonly endpoint: string;
    readonly version: number;
    readonly span: TimeSpan;
  }): Promise<{ readonly requests: number; readonly errors: number }>;
}

export interface ExclusionWindow {
  readonly from: Micros;
  readonly until: Micros | null;
  readonly reason: string;
}

export interface Exclusions {
  /** Records it once for a key; answers its id. */
  record(window: ExclusionWindow & { readonly key: string }): Promise<string>;
  end(id: string, until: Micros): Promise<void>;
  /** Those in force that touch the span, by time. */
  touching(span: TimeSpan): Promise<readonly ExclusionWindow[]>;
}

export interface LoopPorts {
  readonly monitors: Monitors;
  readonly trainer: Trainer;
  readonly releases: Releases;
  readonly candidates: Candidates;
  readonly judge: Judge;
  readonly evaluationRows: EvaluationRows;
  readonly requests: Requests;
  readonly exclusions: Exclusions;
}
