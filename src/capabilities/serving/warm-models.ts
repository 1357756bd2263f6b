import { toAppError } from '../../base/errors.ts';
import {
  compileReader,
  type InferEnvelope,
  type InferRequest,
} from '../../formats/oip/read-request.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Inference, LoadedModel } from '../../platform/inference/port.ts';
import type { ModelVersion } from '../registry/contract.ts';
import type { RegistryService } from '../registry/service.ts';

/** A model version held ready, with the request reader compiled for its signature. */
export interface WarmModel {
  readonly version: ModelVersion;
  readonly loaded: LoadedModel;
  readonly read: (envelope: InferEnvelope) => InferRequest;
}

/** Loads model versions once, however many endpoints and arms use them. */
export class WarmModels {
  readonly #registry: Pick<RegistryService, 'getVersion' | 'localFile'>;
  readonly #inference: Inference;
  readonly #log: Log;
  readonly #byKey = new Map<string, Promise<WarmModel>>();

  constructor(deps: {
    readonly registry: Pick<RegistryService, 'getVersion' | 'localFile'>;
    readonly inference: Inference;
    readonly log: Log;
  }) {
    this.#registry = deps.registry;
    this.#inference = deps.inference;
    this.#log = deps.log;
  }

  /** Loads and warms the version, or joins the load under way. */
  async warm(model: string, version: number): Promise<WarmModel> {
    const key = `${model}@${version}`;
    let warming = this.#byKey.get(key);
    if (warming === undefined) {
      warming = this.#load(model, version);
      this.#byKey.set(key, warming);
      // A failed load may be tried again.
      warming.catch(() => this.#byKey.delete(key));
    }
    return warming;
  }

  /** Releases every version not named in `keep`, once its requests are done. */
  async keepOnly(keep: ReadonlySet<string>): Promise<void> {
    for (const [key, warming] of this.#byKey) {
      if (keep.has(key)) continue;
      this.#byKey.delete(key);
      try {
        const { loaded } = await warming;
        await loaded.release();
        this.#log.info('serving.model.released', { model: key });
      } catch (thrown) {
        // The change that left it without traffic has taken effect all the same.
        const { message } = toAppError(thrown);
        this.#log.warn('serving.model.not-released', { model: key, error: message });
      }
    }
  }

  async close(): Promise<void> {
    await this.keepOnly(new Set());
  }

  async #load(model: string, version: number): Promise<WarmModel> {
    const found = await this.#registry.getVersion(model, version);
    const loaded = await this.#inference.load(await this.#registry.localFile(found));
    this.#log.info('serving.model.warmed', {
      model: `${model}@${version}`,
      placement: loaded.placement,
      main_length_max: loaded.mainLengthMax,
      load_ms: Math.round(loaded.loadMs),
      run_p99_us: Math.round(loaded.runP99Us),
    });
    return { version: found, loaded, read: compileReader(loaded.signature) };
  }
}
