import type { Micros } from '../../base/time.ts';

/**
 * What serving asks of the feature store. Its own words, so that the request path depends on no
 * more than it uses.
 */
export interface FeatureSource {
  /** Whether there is a service of this name. */
  has(service: string): Promise<boolean>;
  /**
   * The service, computed by the definition with this hash; null: by its newest one. Rejects with
   * `INVALID_INPUT` for an unknown service and `DEFINITION_SKEW` for a definition that the online
   * store does not keep.
   */
  resolve(service: string, definition: string | null): Promise<ServedFeatures>;
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
}

export interface FeatureInput {
  readonly name: string;
  readonly type: 'string' | 'long' | 'double' | 'boolean';
}

export type FeatureInputs = Readonly<Record<string, string | number | boolean>>;

export interface FeatureVector {
  readonly values: readonly (number | null)[];
  /** The newest version of each source table that the values saw, by `<namespace>.<table>`. */
  readonly watermarks: Readonly<Record<string, number>>;
}
