import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { readDirectoryObject } from '../../formats/dvc/directory-object.ts';
import type { LockedPath } from '../../formats/dvc/lock-file.ts';
import { makeFolder, replaceFile, syncFolder } from '../../platform/exec/durable-file.ts';
import { stillWritten } from './file-hashes.ts';
import type { HashedFile, HashedPath } from './project.ts';

/** DVC takes an object of this mode as whole, and reads others again. */
const OBJECT_MODE = 0o444;

/** Outputs by content, in DVC's own layout: `<cache>/files/md5/ab/cdef...`. */
export class ObjectCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = path.join(folder, 'files', 'md5');
  }

  /** Whether the whole output is here, a folder with all of its files. */
  async has(locked: LockedPath): Promise<boolean> {
    if (!(await exists(this.#path(locked.md5)))) return false;
    if (!locked.md5.endsWith('.dir')) return true;
    for (const { md5 } of await this.#entries(locked.md5)) {
      if (!(await exists(this.#path(md5)))) return false;
    }
    return true;
  }

  /** Keeps what lies at `absolute`; the files of a folder before the folder. */
  async add(absolute: string, hashed: HashedPath, suffix: string): Promise<void> {
    for (const file of hashed.files) {
      await this.#addFile(path.join(absolute, file.relpath), file, suffix);
    }
    if (hashed.directory === null) return;
    const target = this.#path(hashed.locked.md5);
    if (await exists(target)) return;
    await makeFolder(path.dirname(target));
    await replaceFile(target, hashed.directory, OBJECT_MODE);
  }

  /** Puts the output back at `absolute`, which must be free. */
  async checkout(locked: LockedPath, absolute: string): Promise<void> {
    await makeFolder(path.dirname(absolute));
    if (!locked.md5.endsWith('.dir')) {
      await this.#restore(locked.md5, absolute);
      if (locked.isexec === true) await chmod(absolute, 0o755);
      return;
    }
    await makeFolder(absolute);
    for (const { md5, relpath } of await this.#entries(locked.md5)) {
      const file = path.join(absolute, relpath);
      if (!file.startsWith(`${absolute}${path.sep}`)) {
        throw new AppError('INVALID_PIPELINE', `${locked.md5} holds ${relpath}, outside of it.`);
      }
      await makeFolder(path.dirname(file));
      await this.#restore(md5, file);
    }
  }

  async #addFile(source: string, file: HashedFile, suffix: string): Promise<void> {
    const target = this.#path(file.md5);
    if (await exists(target)) return;
    await makeFolder(path.dirname(target));
    const temporary = `${target}.${suffix}`;
    try {
      // A copy on its own: the stage's next version must not write into it.
      await copyFile(source, temporary, constants.COPYFILE_FICLONE);
      await chmod(temporary, 0o600);
      const handle = await open(temporary, 'r+');
      try {
        // What is kept is checked, not what it was copied from: that may change between the two.
        const hash = createHash('md5');
        const stream = handle.createReadStream({ autoClose: false, start: 0 });
        for await (const chunk of stream) hash.update(chunk as Buffer);
        if (hash.digest('hex') !== file.md5) throw stillWritten(source);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await chmod(temporary, OBJECT_MODE);
      await rename(temporary, target);
      await syncFolder(path.dirname(target));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #restore(md5: string, file: string): Promise<void> {
    await copyFile(this.#path(md5), file, constants.COPYFILE_FICLONE);
    await chmod(file, 0o644);
  }

  async #entries(oid: string): Promise<ReturnType<typeof readDirectoryObject>> {
    return readDirectoryObject(await readFile(this.#path(oid), 'utf8'), oid);
  }

  #path(oid: string): string {
    return path.join(this.#folder, oid.slice(0, 2), oid.slice(2));
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
