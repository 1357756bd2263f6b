import { z } from 'zod';
import { present } from '../../base/assert.ts';
import { toAppError } from '../../base/errors.ts';
import { sameValue } from '../../base/same-value.ts';
import { parseInstant } from '../../base/time.ts';
import type { Prediction, PredictionFeatures } from '../predictions/contract.ts';
import type { TracedFeatures, TracedOrigin } from './contract.ts';
import type { FeatureSource } from './served-features.ts';
import type { VersionOrigins } from './version-origin.ts';

const Entity = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Values = z.array(z.number().nullable());
const Watermarks = z.record(z.string(), z.number());

interface Logged {
  readonly entities: readonly z.infer<typeof Entity>[];
  readonly vectors: readonly z.infer<typeof Values>[];
  readonly watermarks: z.infer<typeof Watermarks>;
}

/** What a request's log entry does not say: its features' names, and where its model is from. */
export class RequestExplanations {
  readonly #source: Pick<FeatureSource, 'definition' | 'recompute'>;
  readonly #origins: VersionOrigins;

  constructor(deps: {
    readonly source: Pick<FeatureSource, 'definition' | 'recompute'>;
    readonly origins: VersionOrigins;
  }) {
    this.#source = deps.source;
    this.#origins = deps.origins;
  }

  /** The logged features by name, each beside what the offline path makes of the tables today. */
  async features(prediction: Prediction): Promise<TracedFeatures | null> {
    const { features, now } = prediction;
    if (features === null) return null;
    const { service, definition } = features;
    const logged = readLogged(features);
    if (logged === null) {
      const notRecomputed = 'the features were too long to log';
      return { service, definition, rows: [], notRecomputed };
    }
    const names = (await this.#source.definition(definition))?.features.map(({ name }) => name);
    const at = present(parseInstant(now), 'the time of a request');
    const { recomputed, why } = await this.#recompute(features, logged, at);
    const rows = logged.entities.map((entity, row) => ({
      entity,
      values: (logged.vectors[row] ?? []).map((served, column) => {
        const name = names?.[column] ?? `feature ${column + 1}`;
        if (recomputed === null) return { name, served, isSame: null };
        const value = recomputed[row]?.[column] ?? null;
        return { name, served, recomputed: value, isSame: sameValue(served, value) };
      }),
    }));
    return { service, definition, rows, notRecomputed: why };
  }

  async origin({ model, modelVersion }: Prediction): Promise<TracedOrigin | null> {
    const origin = await this.#origins.originOf(model, modelVersion);
    if (origin === null) return null;
    const { run, codeTree, codeCommit, environment, command, definition, trainingSet } = origin;
    return {
      run,
      codeTree,
      codeCommit,
      environment,
      command,
      definition,
      trainingSet: trainingSet === null ? null : { ...trainingSet },
      tables: origin.tables.map(({ table, version }) => ({ table, version })),
    };
  }

  /** A trace tells what is known: what cannot be recomputed now is said, not an error. */
  async #recompute(
    { service, definition }: PredictionFeatures,
    { entities, watermarks }: Logged,
    at: Parameters<FeatureSource['recompute']>[0]['at'],
  ): Promise<{
    readonly recomputed: readonly (readonly (number | null)[])[] | null;
    readonly why: string | null;
  }> {
    try {
      const request = { service, definition, rows: entities, at, watermarks };
      return { recomputed: await this.#source.recompute(request), why: null };
    } catch (thrown) {
      return { recomputed: null, why: toAppError(thrown).message };
    }
  }
}

/** One row is logged as itself, several as an array of them. */
function readLogged({ entity, features, watermark }: PredictionFeatures): Logged | null {
  const isBatch = Array.isArray(entity);
  const entities = z.array(Entity).safeParse(isBatch ? entity : [entity]).data;
  const vectors = z.array(Values).safeParse(isBatch ? features : [features]).data;
  if (entities === undefined || vectors === undefined) return null;
  return { entities, vectors, watermarks: Watermarks.safeParse(watermark).data ?? {} };
}
