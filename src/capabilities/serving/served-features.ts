import type { Micros } from '../../base/time.ts';

/**
 * What serving asks of the feature store. Its own words, so that the request path depends on no
 * more than it uses.
 */
export interface FeatureSource {
  /** Whether there is a service of this name. */
  has(service: string): Promise<boolean>;
  /**
   * The service, computed by the definition with this hash, whether or not it is still declared;
   * null: by its newest one. The online store keeps the definition until `keepOnly` says otherwise.
   * Rejects with `INVALID_INPUT` for an unknown service and `DEFINITION_SKEW` for a definition that
   * the service never had.
   */
  resolve(service: string, definition: string | null): Promise<ServedFeatures>;
  /** Lets go of all definitions that were resolved but for those with these hashes. */
  keepOnly(definitions: ReadonlySet<string>): void;
  /** The definition with this hash, whatever its service is now; null when nobody kept it. */
  definition(hash: string): Promise<FeatureDefinition | null>;
  /** The newest rows of a training set as it was made. Rejects when it is not there any more. */
  trainingRows(set: TrainingSetVersion, limit: number): Promise<readonly TrainingRow[]>;
  /**
   * The vectors of the rows at T by the offline path, from the tables as the online store saw them.
   * Rejects when the definition or the tables' versions are gone.
   */
  recompute(request: {
    readonly service: string;
    readonly definition: string;
    readonly rows: readonly FeatureInputs[];
    readonly at: Micros;
    readonly watermarks: Readonly<Record<string, number>>;
  }): Promise<readonly (readonly (number | null)[])[]>;
}

/** What decides a service's values, as far as its differences can be told in words. */
export interface FeatureDefinition {
  readonly views: readonly {
    readonly name: string;
    readonly source: { readonly name: string };
    readonly keys: readonly { readonly name: string }[];
    readonly windows: readonly { readonly name: string }[];
    readonly aggregates: readonly {
      readonly name: string;
      readonly function: string;
      readonly sql: string | null;
    }[];
  }[];
  readonly features: readonly { readonly name: string }[];
}

export interface TrainingSetVersion {
  readonly name: string;
  readonly version: number;
}

/** A row that a model was trained on: what it was asked with, when, and the vector it got. */
export interface TrainingRow {
  readonly inputs: FeatureInputs;
  readonly at: Micros;
  /** In the order of the service. */
  readonly values: readonly (number | null)[];
}

/** A feature service as the gateway holds it: in memory, one definition, read without waiting. */
export interface ServedFeatures {
  readonly service: string;
  /** The definition's hash. */
  readonly definition: string;
  readonly inputs: readonly FeatureInput[];
  /** Names in the order of the vector. */
  readonly features: readonly string[];
  /** The vector at T; null for a value that is missing. */
  read(inputs: FeatureInputs, at: Micros): FeatureVector;
  /** Whether the online store still holds everything that a vector at T is made of. */
  reachesBackTo(at: Micros): boolean;
}

export interface FeatureInput {
  readonly name: string;
  readonly type: 'string' | 'long' | 'double' | 'boolean';
}

/** By input name; null only in rows of a training set, never in requests. */
export type FeatureInputs = Readonly<Record<string, string | number | boolean | null>>;

export interface FeatureVector {
  readonly values: readonly (number | null)[];
  /** The newest version of each source table that the values saw, by `<namespace>.<table>`. */
  readonly watermarks: Readonly<Record<string, number>>;
}
