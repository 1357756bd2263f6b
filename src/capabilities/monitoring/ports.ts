import type { Micros } from '../../base/time.ts';
import type { FeatureLayout } from '../predictions/labelled-requests.ts';
import type { VersionFacts } from './build-profile.ts';

/** What monitoring asks of the registry and the runs that made its versions. */
export interface VersionSources {
  /** A version's model file and training rows; null for one that is not there. */
  factsOf(model: string, version: number): Promise<VersionFacts | null>;
  /** The names of a vector's values; null for a definition that nobody kept. */
  layoutOf(definition: string): Promise<FeatureLayout | null>;
}

/** What monitoring asks of the prediction log before it reads. */
export interface LoggedUntil {
  /** Puts everything that was answered before, and what came of it, into the tables. */
  catchUp(at: Micros): Promise<void>;
  /** The declared label of an endpoint; null without one. */
  labelOf(
    endpoint: string,
  ): Promise<{ readonly name: string; readonly matureMicros: number } | null>;
}
