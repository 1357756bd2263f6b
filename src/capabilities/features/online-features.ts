import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { KvReader } from '../../platform/kv/port.ts';
import type { CompiledInput, CompiledService } from './compiled.ts';
import { keyOf, type FeatureInputs } from './online-key.ts';
import { planReads, type ReadPlan } from './online-plan.ts';
import { EMPTY_CATALOG, readCatalog, readEpoch, readWatermark } from './tiles-catalog.ts';

export interface OnlineVector {
  /** In the order of the service's features; null for a value that is missing. */
  readonly values: readonly (number | null)[];
  /** The version of each source table that the values saw, by `<namespace>.<table>`. */
  readonly watermarks: Readonly<Record<string, number>>;
}

/** Feature services over the tiles of the online store, read in process without waiting. */
export class OnlineFeatures {
  readonly #kv: Pick<KvReader, 'get' | 'peek'>;

  constructor({ kv }: { readonly kv: Pick<KvReader, 'get' | 'peek'> }) {
    this.#kv = kv;
  }

  resolve(service: CompiledService): OnlineService {
    return new OnlineService(this.#kv, service);
  }
}

/** One service of one definition. */
export class OnlineService {
  readonly service: string;
  /** The definition's hash. */
  readonly definition: string;
  readonly inputs: readonly CompiledInput[];
  /** Names, in the order of the vector. */
  readonly features: readonly string[];
  readonly #kv: Pick<KvReader, 'get' | 'peek'>;
  readonly #compiled: CompiledService;
  readonly #blank: (number | null)[];
  #plan: ReadPlan | null = null;
  #watermarks: Record<string, number> = {};

  constructor(kv: Pick<KvReader, 'get' | 'peek'>, service: CompiledService) {
    this.#kv = kv;
    this.#compiled = service;
    this.service = service.name;
    this.definition = service.hash;
    this.inputs = service.inputs;
    this.features = service.features.map(({ name }) => name);
    this.#blank = service.features.map(() => null);
  }

  /**
   * The vector at T: one snapshot of the store and one T for all of it, because nothing is awaited.
   * `INVALID_INPUT` for inputs of another type, `FEATURES_NOT_READY` while tiles are not built or
   * do not reach back to T, `FEATURES_DAMAGED` when the store is broken.
   */
  read(inputs: FeatureInputs, at: Micros): OnlineVector {
    const plan = this.#current();
    this.#check(plan, at);
    const values = this.#blank.slice();
    for (const view of plan.views) {
      const totals = view.reader.read(keyOf(view.keys, inputs), at);
      for (const { position, value } of view.features) values[position] = value(totals);
    }
    if (plan.requested.length > 0) {
      const row = { ...inputs, T: at };
      for (const { position, value } of plan.requested) values[position] = value(row);
    }
    return { values, watermarks: this.#watermarks };
  }

  /** When the newest event was that each feature can have seen; null for none, or no window. */
  newest(inputs: FeatureInputs, at: Micros): readonly (number | null)[] {
    const plan = this.#current();
    const times = this.#blank.slice();
    for (const view of plan.views) {
      const newest = view.reader.newestBefore(keyOf(view.keys, inputs), at);
      for (const { position } of view.features) times[position] = newest;
    }
    return times;
  }

  /** Whether the tiles still hold everything that windows at T can see. */
  reachesBackTo(at: Micros): boolean {
    return this.#current().tables.every(({ build, longest }) => {
      const watermark = readWatermark(this.#kv, build);
      return watermark !== null && at - longest >= watermark.forgottenBefore;
    });
  }

  #current(): ReadPlan {
    // What requests bring needs no tiles, and where nothing else is declared there are none.
    if (this.#compiled.views.length === 0) {
      this.#plan ??= planReads(this.#kv, this.#compiled, EMPTY_CATALOG);
      return present(this.#plan, 'a plan without views');
    }
    const epoch = readEpoch(this.#kv);
    if (this.#plan !== null && this.#plan.epoch === epoch) return this.#plan;
    const catalog = readCatalog(this.#kv);
    const plan = catalog === null ? null : planReads(this.#kv, this.#compiled, catalog);
    if (plan === null) throw notReady(this.service, 'are still being built from the tables');
    this.#plan = plan;
    return plan;
  }

  /** Every table at one version, and nothing forgotten that is asked for. */
  #check(plan: ReadPlan, at: Micros): void {
    let isSame = true;
    for (const { table, build, longest, isFirst } of plan.tables) {
      const watermark = readWatermark(this.#kv, build);
      if (watermark === null) throw notReady(this.service, 'are still being built from the tables');
      if (at - longest < watermark.forgottenBefore) {
        throw notReady(this.service, 'do not reach back to the time asked for');
      }
      const { version } = watermark;
      if (this.#watermarks[table] === version) continue;
      if (!isFirst) throw notReady(this.service, 'are of several versions of their table');
      // Vectors that were given out keep the object that told their watermarks.
      if (isSame) this.#watermarks = { ...this.#watermarks };
      isSame = false;
      this.#watermarks[table] = version;
    }
  }
}

function notReady(service: string, why: string): AppError {
  return new AppError('FEATURES_NOT_READY', `The online features of ${service} ${why}.`, {
    hint: 'See how far they are with: millwright features watermarks',
  });
}
