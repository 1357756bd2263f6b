import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Blobs } from '../../platform/blobs/port.ts';
import type { Step } from '../../platform/db/port.ts';
import { REGISTERED_FOLDER } from './artifact-folders.ts';
import { artifactNotFound, type ArtifactFile, type ArtifactsStore } from './artifacts-store.ts';
import { ARTIFACT_BYTES_MAX, ARTIFACT_FILES_MAX, type ModelFile } from './contract.ts';
import type { ArtifactsRow } from './rows.ts';

/**
 * Files of runs and logged models. Paths are rows; bytes are blobs. No path of a client ever
 * becomes a path of this machine, so there is nothing to traverse.
 */
export class Artifacts {
  readonly #store: ArtifactsStore;
  readonly #blobs: Blobs;
  readonly #clock: Clock;

  constructor(deps: {
    readonly store: ArtifactsStore;
    readonly blobs: Blobs;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#blobs = deps.blobs;
    this.#clock = deps.clock;
  }

  /** Stores the bytes, then names them; an earlier file at the path is replaced. */
  async put(path: string, bytes: AsyncIterable<Uint8Array> | Uint8Array): Promise<void> {
    assertWritable(path);
    const { digest, sizeBytes } = await this.#blobs.put(bytes, { maxBytes: ARTIFACT_BYTES_MAX });
    const file = { path, digest, sizeBytes };
    await this.#store.write(this.#store.putSteps([file], this.#clock.wall()));
  }

  /** The content as a stream, after it was checked whole; rejects with `ARTIFACT_NOT_FOUND`. */
  async open(path: string): Promise<{ readonly sizeBytes: number; readonly content: Readable }> {
    const { digest, size_bytes: sizeBytes } = await this.#file(path);
    return { sizeBytes, content: createReadStream(await this.#blobs.localFile(digest)) };
  }

  /** A small file's content; null when there is none. */
  async readText(path: string, bytesMax: number): Promise<string | null> {
    const row = await this.#store.find(path);
    if (row === null || row.digest === null || row.size_bytes > bytesMax) return null;
    return new TextDecoder().decode(await this.#blobs.read(row.digest));
  }

  async list(
    folder: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly ArtifactsRow[]> {
    return this.#store.list(folder, page);
  }

  /** Every file below a folder; rejects with `INVALID_INPUT` past `ARTIFACT_FILES_MAX`. */
  async filesBelow(folder: string): Promise<readonly ArtifactFile[]> {
    const files = await this.#store.filesBelow(folder, ARTIFACT_FILES_MAX + 1);
    if (files.length <= ARTIFACT_FILES_MAX) return files;
    throw new AppError('INVALID_INPUT', `${folder} has more than ${ARTIFACT_FILES_MAX} files.`);
  }

  /** Steps that keep files under a registered version's folder, for the registry's transaction. */
  snapshotSteps(folder: string, files: readonly ModelFile[]): readonly Step[] {
    const placed = files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
    return this.#store.putSteps(placed, this.#clock.wall());
  }

  async delete(path: string): Promise<void> {
    assertWritable(path);
    await this.#store.delete(path);
  }

  async #file(path: string): Promise<ArtifactsRow & { readonly digest: ArtifactFile['digest'] }> {
    const row = path === '' ? null : await this.#store.find(path);
    if (row === null || row.digest === null) throw artifactNotFound(path);
    return { ...row, digest: row.digest };
  }
}

/** The folder that holds a registered version's files. */
export function versionFolder(model: string, version: number): string {
  return `${REGISTERED_FOLDER}/${model}/${version}`;
}

function assertWritable(path: string): void {
  if (path !== '' && path.split('/')[0] !== REGISTERED_FOLDER) return;
  throw new AppError('INVALID_INPUT', 'Invalid path', {
    hint: 'The root and the files of registered versions cannot be changed.',
  });
}
