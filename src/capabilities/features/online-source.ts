import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { CompiledService, CompiledView } from './compiled.ts';
import type { OnlineFeatures, OnlineService } from './online-features.ts';
import type { FeatureInputs } from './online-key.ts';
import type { OnlineFeaturesTasks } from './online-tasks.ts';
import type { TrainingRow, TrainingSource } from './training-rows.ts';

/** The definitions that are kept, as `FeaturesService` has them. */
export interface KeptDefinitions {
  compiledServices(): Promise<readonly CompiledService[]>;
  compiledService(name: string): Promise<CompiledService | null>;
  compiledByHash(name: string, hash: string): Promise<CompiledService | null>;
  compiledDefinition(hash: string): Promise<CompiledService | null>;
  definitionsOf(name: string): Promise<readonly CompiledService[]>;
  trainingSource(name: string, version: number): Promise<TrainingSource>;
}

export interface OnlineSourceDeps {
  readonly definitions: KeptDefinitions;
  readonly online: OnlineFeatures;
  readonly engine: Engine<OnlineFeaturesTasks>;
  /** Called when a definition is wanted online that nobody wanted before. */
  readonly onWanted: () => void;
}

/** Feature services for those who answer with them: by name, or by the definition they rest on. */
export class OnlineSource {
  readonly #deps: OnlineSourceDeps;
  /** Definitions that something answers with, or may again, by hash: the newest among them. */
  readonly #held = new Map<string, CompiledService>();

  constructor(deps: OnlineSourceDeps) {
    this.#deps = deps;
  }

  /** Views that are to be in the online store: of every service, and of what is still answered. */
  async views(): Promise<readonly CompiledView[]> {
    const services = await this.#deps.definitions.compiledServices();
    return [...services, ...this.#held.values()].flatMap(({ views }) => views);
  }

  async has(service: string): Promise<boolean> {
    return (await this.#deps.definitions.compiledService(service)) !== null;
  }

  /**
   * A service by its newest definition (null) or by the one with this hash. Its tiles are kept, or
   * built, until `keepOnly` lets go of it, whatever is declared meanwhile. `INVALID_INPUT` for an
   * unknown service, `DEFINITION_SKEW` for a definition that it never had.
   */
  async resolve(service: string, definition: string | null): Promise<OnlineService> {
    const { online, onWanted } = this.#deps;
    const found =
      definition === null ? await this.service(service) : await this.#kept(service, definition);
    if (!this.#held.has(found.hash)) {
      this.#held.set(found.hash, found);
      onWanted();
    }
    return online.resolve(found);
  }

  /** Lets go of all definitions that were resolved but for those with these hashes. */
  keepOnly(definitions: ReadonlySet<string>): void {
    for (const hash of this.#held.keys()) if (!definitions.has(hash)) this.#held.delete(hash);
  }

  /** By its hash: a service that is declared no more, or otherwise, still has those it had. */
  async #kept(service: string, hash: string): Promise<CompiledService> {
    const found = await this.#deps.definitions.compiledByHash(service, hash);
    if (found !== null) return found;
    throw new AppError(
      'DEFINITION_SKEW',
      `The feature service ${service} never had the definition ${hash}.`,
      { hint: 'Train on the present one: millwright features train-set NAME' },
    );
  }

  /** The newest definition; rejects with `INVALID_INPUT` for an unknown service. */
  async service(name: string): Promise<CompiledService> {
    const found = await this.#deps.definitions.compiledService(name);
    if (found !== null) return found;
    throw new AppError('INVALID_INPUT', `There is no feature service ${name}.`, {
      hint: 'See them with: millwright features services',
    });
  }

  async definitionsOf(name: string): Promise<readonly CompiledService[]> {
    return await this.#deps.definitions.definitionsOf(name);
  }

  async definition(hash: string): Promise<CompiledService | null> {
    return await this.#deps.definitions.compiledDefinition(hash);
  }

  /** The newest rows of a training set, with what the service would have been asked. */
  async trainingRows(
    set: { readonly name: string; readonly version: number },
    limit: number,
  ): Promise<readonly TrainingRow[]> {
    const { definitions, engine } = this.#deps;
    const of = await definitions.trainingSource(set.name, set.version);
    return await engine.run('features.training-rows', { of, limit });
  }

  /** Vectors at T from the tables, as they were at these versions. */
  async recompute(request: {
    readonly service: string;
    readonly definition: string;
    readonly rows: readonly FeatureInputs[];
    readonly at: Micros;
    readonly watermarks: Readonly<Record<string, number>>;
  }): Promise<readonly (readonly (number | null)[])[]> {
    const { definitions, engine } = this.#deps;
    const { service, definition, rows, at, watermarks } = request;
    const compiled = await definitions.compiledByHash(service, definition);
    if (compiled === null) {
      throw new AppError('INVALID_INPUT', `Nobody kept the definition ${definition}.`);
    }
    return await engine.run('features.recompute', { service: compiled, rows, at, watermarks });
  }
}
