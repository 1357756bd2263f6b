import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import {
  entryFromText,
  entryToText,
  LockFile,
  type LockEntry,
} from '../../formats/dvc/lock-file.ts';
import type { Stage } from '../../formats/dvc/stage.ts';
import { present } from '../../base/assert.ts';
import { makeFolder, replaceFile } from '../../platform/exec/durable-file.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Env } from '../../platform/system.ts';
import { gitCodeTree, listedCodeTree, unignoredByGit } from './code-tree.ts';
import { refuseWhileDvcRuns } from './dvc-lock-holders.ts';
import type { Inspection } from './inspect-stage.ts';
import type { ObjectCache } from './object-cache.ts';
import { combinePins, PIN_BYTES_MAX, readPin, type Pinned } from './pin-file.ts';
import type { HashedPath, Project } from './project.ts';
import type { Manifest, ManifestOutput, StageSpec } from './stage-spec.ts';

export interface StageFilesOptions {
  readonly project: Project;
  readonly cache: ObjectCache;
  readonly stateFolder: string;
  readonly temporaryFolder: string;
  readonly env: Env;
  readonly faults: Faults;
}

/** What is done to a project's files before and after a stage runs. */
export class StageFiles {
  readonly #options: StageFilesOptions;

  constructor(options: StageFilesOptions) {
    this.#options = options;
  }

  /** Puts back what is gone and keeps what is not in the cache yet. */
  async settle(stage: Stage, inspection: Inspection): Promise<void> {
    const { project, cache } = this.#options;
    for (const { output, hashed } of inspection.uncached) {
      await cache.add(project.locate(stage, output.path), hashed, 'settle');
    }
    for (const locked of inspection.restorable) {
      const absolute = project.locate(stage, locked.path);
      // Whole or not at all: half a folder would look like one that was changed.
      const temporary = `${absolute}.millwright-restore`;
      await rm(temporary, { recursive: true, force: true });
      await cache.checkout(locked, temporary);
      await rename(temporary, absolute);
    }
  }

  /** Fixes what the stage runs with. Rejects with `INVALID_PIPELINE` when inputs are missing. */
  async specify(stage: Stage, inspection: Inspection, all: readonly Stage[]): Promise<StageSpec> {
    const { project } = this.#options;
    const { inputs, missingParams } = inspection;
    const [lacking] = missingParams;
    if (lacking !== undefined) {
      throw new AppError('INVALID_PIPELINE', `The stage ${stage.name} needs ${lacking}.`, {
        hint: 'Add it, or take it out of the params of the stage in dvc.yaml.',
      });
    }
    const missing = stage.deps.find((dep) => !inputs.deps.some((it) => it.path === dep));
    if (missing !== undefined) {
      throw new AppError(
        'INVALID_PIPELINE',
        `The stage ${stage.name} needs ${missing}, which does not exist.`,
        { hint: 'Make the file, or get it with: dvc pull' },
      );
    }
    await makeFolder(project.locate(stage, '.'));
    if (project.dvcFolder !== null) {
      await refuseWhileDvcRuns(project.dvcFolder, {
        name: stage.name,
        reads: stage.deps.map((dep) => project.locate(stage, dep)),
        writes: stage.outs.map(({ path: out }) => project.locate(stage, out)),
      });
    }
    return {
      stage,
      inputs: entryToText({ cmd: stage.cmd, ...inputs, outs: [] }),
      pinned: await this.#pins(stage),
      code: await this.#code(stage, inspection, all),
    };
  }

  /** Removes the former outputs and makes folders for the new ones. */
  async clear({ stage }: StageSpec): Promise<void> {
    const { project } = this.#options;
    await project.clearOutputs(stage);
    for (const { path: out } of stage.outs) {
      await makeFolder(path.dirname(project.locate(stage, out)));
    }
  }

  /**
   * Hashes and keeps what the stage made, writes its manifest, then its lock entry. Repeating it
   * after a crash changes nothing. Rejects with `STAGE_FAILED` when an output is missing.
   */
  async commit(
    spec: StageSpec,
    attemptFolder: string,
    signal: AbortSignal,
  ): Promise<{ readonly manifest: Manifest; readonly entry: LockEntry }> {
    const file = path.join(attemptFolder, 'manifest.json');
    const manifest = (await readManifest(file)) ?? (await this.#make(spec, file, signal));
    const entry = present(entryFromText(manifest.lock), 'the lock entry of a manifest');
    await this.#lock(spec.stage.name, entry);
    return { manifest, entry };
  }

  async #make(spec: StageSpec, file: string, signal: AbortSignal): Promise<Manifest> {
    const { project, cache } = this.#options;
    const { stage } = spec;
    const hashed: HashedPath[] = [];
    for (const output of stage.outs) {
      const found = await project.hash(stage, output.path, signal);
      if (found === null) {
        throw new AppError('STAGE_FAILED', `it ended without making ${output.path}`, {
          hint: 'Make the output, or take it out of the outs of the stage in dvc.yaml.',
        });
      }
      const absolute = project.locate(stage, output.path);
      if (output.isCached) await cache.add(absolute, found, path.basename(path.dirname(file)));
      hashed.push(found);
    }
    await this.#ignoreInGit(stage);
    const inputs = present(entryFromText(spec.inputs), 'the inputs of a stage');
    const manifest: Manifest = {
      version: 1,
      stage: stage.name,
      outputs: hashed.map(toOutput),
      lock: entryToText({ ...inputs, outs: hashed.map(({ locked }) => locked) }),
    };
    await replaceFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
    this.#options.faults.hit('step.after-manifest');
    return manifest;
  }

  async #lock(name: string, entry: LockEntry): Promise<void> {
    const { project } = this.#options;
    const text = await project.readText('dvc.lock');
    const next = new LockFile(text).with(name, entry);
    if (next !== text) await replaceFile(path.join(project.root, 'dvc.lock'), next);
  }

  /** As DVC does: what its cache keeps is not for git. */
  async #ignoreInGit(stage: Stage): Promise<void> {
    const { project, env } = this.#options;
    const kept = stage.outs.filter(({ isCached }) => isCached);
    const files = kept.map(({ path: out }) => project.locate(stage, out));
    for (const file of await unignoredByGit(project.root, files, env)) {
      const ignoreFile = path.join(path.dirname(file), '.gitignore');
      const text = await readFile(ignoreFile, 'utf8').catch(() => '');
      const separator = text === '' || text.endsWith('\n') ? '' : '\n';
      await replaceFile(ignoreFile, `${text}${separator}/${path.basename(file)}\n`);
    }
  }

  async #pins(stage: Stage): Promise<Pinned> {
    const { project } = this.#options;
    const pins = [];
    for (const dep of stage.deps.filter((it) => it.endsWith('.json'))) {
      const file = project.locate(stage, dep);
      const found = await stat(file);
      if (!found.isFile() || found.size > PIN_BYTES_MAX) continue;
      const pin = readPin(await readFile(file, 'utf8'), dep);
      if (pin !== null) pins.push(pin);
    }
    return combinePins(pins);
  }

  async #code(stage: Stage, { inputs }: Inspection, all: readonly Stage[]) {
    const { project, stateFolder, temporaryFolder, env } = this.#options;
    const made = all.flatMap((it) => it.outs.map(({ path: out }) => project.locate(it, out)));
    await makeFolder(temporaryFolder);
    const exclude = [...made, path.join(project.root, 'dvc.lock'), stateFolder];
    const inGit = await gitCodeTree({ root: project.root, exclude, temporaryFolder, env });
    if (inGit !== null) return inGit;
    const outside = new Set(made);
    return listedCodeTree(
      inputs.deps.filter((dep) => !outside.has(project.locate(stage, dep.path))),
    );
  }
}

async function readManifest(file: string): Promise<Manifest | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Manifest);
}

function toOutput({ locked, files, directory }: HashedPath): ManifestOutput {
  const lines = files.map(({ relpath, sha256 }) => `${relpath}\t${sha256}\n`).toSorted();
  const [first] = files;
  return {
    path: locked.path,
    md5: locked.md5,
    sha256:
      directory === null && first !== undefined
        ? first.sha256
        : createHash('sha256').update(lines.join('')).digest('hex'),
    sizeBytes: locked.size,
    files: directory === null ? null : files.length,
  };
}
