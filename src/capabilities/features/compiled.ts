import type { Expression } from '../../formats/expression/expression.ts';

/**
 * A service's definition, resolved and typed: what the offline sweep, the online tiles and the
 * naive reference all compute from. Plain data: it crosses to the engine and is stored by its hash.
 */

export interface CompiledWindow {
  /** As declared: `2h`, `30d`. */
  readonly name: string;
  readonly micros: number;
}

/** The functions a window can compute; over no event `count` is 0 and the others are null. */
export type AggregateFunction = 'count' | 'sum' | 'avg' | 'min' | 'max';

export interface CompiledAggregate {
  readonly name: string;
  readonly function: AggregateFunction;
  /** DuckDB expression over the source's columns giving a DOUBLE; null for a count of events. */
  readonly sql: string | null;
  /** The same as data, for the TypeScript evaluator; of type `double`. */
  readonly of: Expression | null;
}

/**
 * Events of a Delta table; of several with one id the one that was appended last counts. A row
 * without id, event time or a part of the key is no event.
 */
export interface CompiledSource {
  readonly name: string;
  readonly table: { readonly namespace: string; readonly name: string };
  readonly idColumn: string;
  readonly eventTimeColumn: string;
}

/** How the columns that make a key are spelled, in the order they are encoded. */
export interface CompiledKey {
  readonly name: string;
  readonly type: 'string' | 'long';
}

/** Aggregates over windows `[T - W, T)` by event time, per key. */
export interface CompiledView {
  readonly name: string;
  /** SHA-256 of everything that decides its values: tiles of another hash are not its tiles. */
  readonly hash: string;
  readonly source: CompiledSource;
  readonly keys: readonly CompiledKey[];
  readonly windows: readonly CompiledWindow[];
  readonly aggregates: readonly CompiledAggregate[];
}

/** One column of a vector, in the order of the vector. */
export type CompiledFeature =
  | {
      readonly kind: 'window';
      /** `<view>__<aggregate>_<window>`, such as `origin_delays__late_7d`. */
      readonly name: string;
      readonly view: string;
      readonly aggregate: string;
      readonly window: string;
    }
  | {
      readonly kind: 'request';
      readonly name: string;
      /** An index into `requestExpressions`. */
      readonly expression: number;
    };

export interface CompiledInput {
  readonly name: string;
  readonly type: 'string' | 'long' | 'double' | 'boolean';
  /** What it is for: a key of a view, or a value that request features are computed from. */
  readonly role: 'key' | 'request';
}

export interface CompiledService {
  readonly name: string;
  /** SHA-256 of the normalised definition: equal hashes, equal values. */
  readonly hash: string;
  readonly views: readonly CompiledView[];
  /** What a request brings: keys first, then request inputs, each once. */
  readonly inputs: readonly CompiledInput[];
  /** Typed expressions over the inputs and `T`, a timestamp; numbers or booleans. */
  readonly requestExpressions: readonly Expression[];
  readonly features: readonly CompiledFeature[];
  /** IANA zone by key, per entity whose expressions ask for local time. */
  readonly zones: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Rows to train on: one for each event of the spine, as the service would have answered it. */
export interface CompiledTrainingSet {
  readonly name: string;
  /** SHA-256 of the normalised definition, with the service's hash in it. */
  readonly hash: string;
  readonly service: string;
  readonly serviceHash: string;
  /** T is the event time of its events. The service's inputs are columns of the same names. */
  readonly spine: CompiledSource;
  /** Type of the spine's ids, which identify the rows. */
  readonly idType: 'string' | 'long';
  /** The range ends `untilBeforeNow` before now and starts `last` earlier; microseconds. */
  readonly last: number;
  readonly untilBeforeNow: number;
  readonly label: CompiledLabel;
  /** Leaves out rows whose longest windows begin before the first event of their source. */
  readonly requiresFullWindows: boolean;
}

export interface CompiledLabel {
  readonly name: string;
  /** One event for each label; its id is the spine's column `match`. */
  readonly source: CompiledSource;
  readonly match: string;
  /** A number or boolean of the label's event. */
  readonly of: Expression;
  /** Microseconds after T when the label is taken to be known. */
  readonly mature: number;
}
