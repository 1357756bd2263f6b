import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Blobs, StoredBlob } from '../../platform/blobs/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Inference } from '../../platform/inference/port.ts';
import { MODEL_BYTES_MAX, type Model, type ModelVersion } from './contract.ts';
import type { RegistryStore, StoredVersion } from './store.ts';

/** Two registrations of one model at once race for a number; each lost race is one more try. */
const NUMBERING_TRIES = 10;

export interface RegistryDeps {
  readonly store: RegistryStore;
  readonly blobs: Blobs;
  readonly inference: Inference;
  readonly events: Events;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
}

/** Registered models: immutable versions of ONNX files, addressed by content. */
export class RegistryService {
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  /** Stores the file, proves that it loads, and makes it the model's next version. */
  async register(request: {
    readonly model: string;
    readonly description: string;
    readonly bytes: AsyncIterable<Uint8Array>;
    readonly actor: string;
  }): Promise<ModelVersion> {
    const { blobs, faults } = this.#deps;
    const blob = await blobs.put(request.bytes, { maxBytes: MODEL_BYTES_MAX });
    faults.hit('model.after-blob');
    try {
      return await this.#registerBlob(blob, request);
    } catch (thrown) {
      // Of a refused upload nothing stays; when the database failed, the version may be in.
      if (isRefusal(thrown)) await blobs.discard(blob.digest);
      throw thrown;
    }
  }

  async #registerBlob(
    blob: StoredBlob,
    request: { readonly model: string; readonly description: string; readonly actor: string },
  ): Promise<ModelVersion> {
    const { blobs, inference, faults, clock, ids } = this.#deps;
    const { model, description, actor } = request;
    if (blob.sizeBytes === 0) throw new AppError('INVALID_MODEL', 'The model file is empty.');
    const signature = await inference.inspect(await blobs.localFile(blob.digest));
    const stored = await this.#number(model, (version) => ({
      id: ids.next('mv'),
      model,
      version,
      digest: blob.digest,
      size_bytes: blob.sizeBytes,
      signature: {
        inputs: signature.inputs.map(({ shape, ...spec }) => ({ ...spec, shape: [...shape] })),
        outputs: signature.outputs.map(({ shape, ...spec }) => ({ ...spec, shape: [...shape] })),
      },
      description,
      created_at: clock.wall(),
      created_by: actor,
      run_id: null,
    }));
    faults.hit('model.after-commit');
    return toModelVersion(stored);
  }

  async getVersion(model: string, version: number): Promise<ModelVersion> {
    const { store } = this.#deps;
    const found = await store.findVersion(model, version);
    if (found !== null) return toModelVersion(found);
    await store.requireModel(model);
    throw new AppError('MODEL_VERSION_NOT_FOUND', `Model ${model} has no version ${version}.`, {
      hint: `See them with: millwright models versions ${model}`,
    });
  }

  async listVersions(model: string, query: PageQuery): Promise<Page<ModelVersion>> {
    const { store } = this.#deps;
    await store.requireModel(model);
    const before = decodeCursor(query.cursor, 'number');
    const found = await store.listVersions(model, { before, limit: query.limit + 1 });
    return nextPage(found.map(toModelVersion), query.limit, (last) => last.version);
  }

  async listModels(query: PageQuery): Promise<Page<Model>> {
    const after = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.store.listModels({ after, limit: query.limit + 1 });
    const items = found.map(({ name, created_at, latest_version }) => ({
      name,
      createdAt: formatInstant(created_at),
      latestVersion: latest_version,
    }));
    return nextPage(items, query.limit, (last) => last.name);
  }

  /** Rejects with `MODEL_NOT_FOUND` unless the model has a version. */
  async requireModel(model: string): Promise<void> {
    await this.#deps.store.requireModel(model);
  }

  /** Path of the model's file on this machine, its content checked. */
  async localFile(version: ModelVersion): Promise<string> {
    return this.#deps.blobs.localFile(version.digest as StoredVersion['digest']);
  }

  async #number(model: string, make: (version: number) => StoredVersion): Promise<StoredVersion> {
    const { store, events } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      const stored = make((await store.latestVersion(model)) + 1);
      const event = events.step({
        actor: stored.created_by,
        kind: 'model.registered',
        subject: `model/${model}`,
        data: { version: stored.version, digest: stored.digest },
      });
      try {
        await store.insertVersion(stored, [event]);
        return stored;
      } catch (thrown) {
        const isTaken = thrown instanceof AppError && thrown.code === 'CONFLICT';
        if (!isTaken || attempt === NUMBERING_TRIES) throw thrown;
      }
    }
  }
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'INVALID_MODEL';
}

function toModelVersion(stored: StoredVersion): ModelVersion {
  return {
    id: stored.id,
    model: stored.model,
    version: stored.version,
    digest: stored.digest,
    sizeBytes: stored.size_bytes,
    format: 'onnx',
    signature: stored.signature,
    description: stored.description,
    createdAt: formatInstant(stored.created_at),
    createdBy: stored.created_by,
  };
}
