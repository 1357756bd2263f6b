import { createHash } from 'node:crypto';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Blobs, Digest, StoredBlob } from '../../platform/blobs/port.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import { EXTERNAL_DATA_HINT, isExternalData } from '../../platform/inference/external-data.ts';
import type { Inference } from '../../platform/inference/port.ts';
import type { ModelFile, RunOrigin } from '../tracking/contract.ts';
import type { TrackingService } from '../tracking/service.ts';
import { MODEL_BYTES_MAX, type Model, type ModelVersion, type Signature } from './contract.ts';
import type { LabelledVersion, RegistryStore, StoredVersion } from './store.ts';

/** Two registrations of one model at once race for a number; each lost race is one more try. */
const NUMBERING_TRIES = 10;

export interface RegistryDeps {
  readonly store: RegistryStore;
  readonly tracking: Pick<TrackingService, 'origin' | 'modelFiles'>;
  readonly blobs: Blobs;
  readonly inference: Inference;
  readonly events: Events;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
}

/** What a version says of itself, whatever its bytes are. */
interface VersionFacts {
  readonly model: string;
  readonly description: string;
  readonly runId: string | null;
  readonly actor: string;
}

/** A model folder that a client registers. */
export interface FolderRegistration extends VersionFacts {
  readonly files: readonly ModelFile[];
  /** The ONNX file among them; null for a version that can only be downloaded. */
  readonly onnx: ModelFile | null;
  readonly source: string;
  readonly loggedModel: string | null;
  readonly runLink: string | null;
  /** Further steps of the transaction, such as the version's tags. */
  readonly steps: (version: number) => readonly Step[];
}

/** Registered models: immutable versions, addressed by content. */
export class RegistryService {
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  /** Stores the file, proves that it loads, and makes it the model's next version. */
  async register(
    request: VersionFacts & { readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<ModelVersion> {
    const { blobs, faults, tracking } = this.#deps;
    if (request.runId !== null) await tracking.origin(request.runId);
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

  /** Makes files that lie among the artifacts the model's next version, and keeps them for it. */
  async registerFolder(request: FolderRegistration): Promise<ModelVersion> {
    const { tracking, faults } = this.#deps;
    const { model, files, source, loggedModel, runLink } = request;
    faults.hit('model.after-blob');
    const { onnx, signature } = await this.#servable(request.onnx);
    const content =
      onnx === null
        ? { digest: folderDigest(files), sizeBytes: sum(files.map((file) => file.sizeBytes)) }
        : { digest: onnx.digest as Digest, sizeBytes: onnx.sizeBytes };
    const stored = await this.#number(
      model,
      (version) => ({
        ...this.#facts(request, version),
        digest: content.digest,
        size_bytes: content.sizeBytes,
        signature,
        format: onnx === null ? 'mlflow' : 'onnx',
        source,
        artifacts: tracking.modelFiles.pathOf(model, version),
        logged_model: loggedModel,
        run_link: runLink,
      }),
      (version) => [
        ...tracking.modelFiles.keepSteps(model, version, files),
        ...request.steps(version),
      ],
    );
    faults.hit('model.after-commit');
    return this.getVersion(model, stored.version);
  }

  /**
   * Deleted ones too, because what serves them goes on; with `refuseDeleted` they reject with
   * `MODEL_VERSION_NOT_FOUND`, for what would begin to serve them.
   */
  async getVersion(
    model: string,
    version: number,
    { refuseDeleted = false }: { readonly refuseDeleted?: boolean } = {},
  ): Promise<ModelVersion> {
    const { store } = this.#deps;
    const found = await store.findVersion(model, version);
    if (found !== null && refuseDeleted && found.deleted_at !== null) {
      throw new AppError('MODEL_VERSION_NOT_FOUND', `${model}@${version} was deleted.`, {
        hint: `Deploy another version; see them with: millwright models versions ${model}`,
      });
    }
    if (found !== null) return toModelVersion(found);
    await store.requireModel(model);
    throw versionNotFound(model, version);
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
      latestVersion: latest_version ?? 0,
    }));
    return nextPage(items, query.limit, (last) => last.name);
  }

  /** Rejects with `MODEL_NOT_FOUND` unless the model has a version. */
  async requireModel(model: string): Promise<void> {
    await this.#deps.store.requireModel(model);
  }

  /**
   * Path of the model's file on this machine, its content checked; rejects with
   * `MODEL_NOT_SERVABLE` for a version without an ONNX file.
   */
  async localFile(version: ModelVersion): Promise<string> {
    if (version.format !== 'onnx') {
      throw await this.#notServable(version);
    }
    return this.#deps.blobs.localFile(version.digest as Digest);
  }

  /** The run that made a version, with its tags and pins; null for one that no run made. */
  async lineageOf(version: Pick<ModelVersion, 'runId'>): Promise<RunOrigin | null> {
    return version.runId === null ? null : this.#deps.tracking.origin(version.runId);
  }

  async #registerBlob(blob: StoredBlob, request: VersionFacts): Promise<ModelVersion> {
    const { model } = request;
    if (blob.sizeBytes === 0) throw new AppError('INVALID_MODEL', 'The model file is empty.');
    const signature = await this.#inspect(blob.digest);
    const stored = await this.#number(model, (version) => ({
      ...this.#facts(request, version),
      digest: blob.digest,
      size_bytes: blob.sizeBytes,
      signature,
      format: 'onnx',
      source: '',
      artifacts: null,
      logged_model: null,
      run_link: null,
    }));
    this.#deps.faults.hit('model.after-commit');
    return toModelVersion({ ...stored, aliases: [], tags: [] });
  }

  async #inspect(digest: string): Promise<Signature> {
    const { blobs, inference } = this.#deps;
    const { inputs, outputs } = await inference.inspect(await blobs.localFile(digest as Digest));
    return {
      inputs: inputs.map(({ shape, ...spec }) => ({ ...spec, shape: [...shape] })),
      outputs: outputs.map(({ shape, ...spec }) => ({ ...spec, shape: [...shape] })),
    };
  }

  /** A folder whose ONNX file is not whole without others is kept, but not served. */
  async #servable(
    onnx: ModelFile | null,
  ): Promise<{ readonly onnx: ModelFile | null; readonly signature: Signature }> {
    const nothing = { onnx: null, signature: { inputs: [], outputs: [] } };
    if (onnx === null) return nothing;
    try {
      return { onnx, signature: await this.#inspect(onnx.digest) };
    } catch (thrown) {
      if (isExternalData(thrown)) return nothing;
      throw thrown;
    }
  }

  async #notServable({ model, version }: ModelVersion): Promise<AppError> {
    const name = `${model}@${version}`;
    const files = await this.#deps.tracking.modelFiles.ofVersion(model, version);
    return files.some(({ path }) => path.endsWith('.onnx'))
      ? new AppError(
          'MODEL_NOT_SERVABLE',
          `${name} has no ONNX file that is whole by itself: tensors in other files (external data) ` +
            'are not served yet.',
          { hint: EXTERNAL_DATA_HINT },
        )
      : new AppError('MODEL_NOT_SERVABLE', `${name} has no ONNX file, so it cannot be served.`, {
          hint: 'Log it with mlflow.onnx.log_model, then register that; it can be downloaded.',
        });
  }

  #facts(request: VersionFacts, version: number) {
    const now = this.#deps.clock.wall();
    return {
      id: this.#deps.ids.next('mv'),
      model: request.model,
      version,
      description: request.description,
      run_id: request.runId,
      created_by: request.actor,
      created_at: now,
      updated_at: now,
      deleted_at: null,
      stage: 'None',
    };
  }

  async #number(
    model: string,
    make: (version: number) => StoredVersion,
    steps: (version: number) => readonly Step[] = () => [],
  ): Promise<StoredVersion> {
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
        await store.insertVersion(stored, [...steps(stored.version), event]);
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

export function toModelVersion(stored: LabelledVersion): ModelVersion {
  return {
    id: stored.id,
    model: stored.model,
    version: stored.version,
    digest: stored.digest,
    sizeBytes: stored.size_bytes,
    format: stored.format,
    signature: stored.signature,
    description: stored.description,
    runId: stored.run_id,
    aliases: [...stored.aliases],
    tags: [...stored.tags],
    deletedAt: stored.deleted_at === null ? null : formatInstant(stored.deleted_at),
    createdAt: formatInstant(stored.created_at),
    createdBy: stored.created_by,
  };
}

export function versionNotFound(model: string, version: number): AppError {
  return new AppError('MODEL_VERSION_NOT_FOUND', `Model ${model} has no version ${version}.`, {
    hint: `See them with: millwright models versions ${model}`,
  });
}

/** One hash over the names and the content of all files. */
function folderDigest(files: readonly ModelFile[]): Digest {
  const lines = files.map(({ path, digest }) => `${digest} ${path}\n`).toSorted();
  return createHash('sha256').update(lines.join('')).digest('hex') as Digest;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
