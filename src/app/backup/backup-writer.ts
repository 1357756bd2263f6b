import { createHash } from 'node:crypto';
import { link, mkdir, open, readlink, symlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../platform/exec/durable-file.ts';
import { sumLine } from './checksums.ts';

const PIECE_BYTES = 1024 * 1024;
/** File systems that have no links, or none between the two places. */
const WITHOUT_LINKS = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export interface FileOptions {
  /** Nobody writes to the file any more: a second name will do where the file system has it. */
  readonly isFinal?: boolean;
  /** As much of the file as belongs to the backup; all of it when not given. */
  readonly bytesMax?: number;
  /** Where the name of the file is its SHA-256, it need not be read. */
  readonly sha256?: string;
}

/** Puts files into a backup, with their checksums; everything is durable after `finish`. */
export class BackupWriter {
  readonly root: string;
  files = 0;
  bytes = 0;
  /** Of the bytes, those that share their place on the disk with the original. */
  linkedBytes = 0;
  readonly #sums: string[] = [];
  readonly #folders = new Set<string>();
  readonly #onFile: () => void;

  constructor(root: string, onFile: () => void) {
    this.root = root;
    this.#onFile = onFile;
  }

  /** False when the file has gone. */
  async add(from: string, to: string, options: FileOptions = {}): Promise<boolean> {
    const source = await openIfThere(from);
    if (source === null) return false;
    const target = path.join(this.root, to);
    try {
      await this.folder(path.dirname(to));
      const isLinked = options.isFinal === true && (await linked(from, target));
      const known = isLinked ? options.sha256 : undefined;
      const done =
        known === undefined
          ? await copied(source, isLinked ? null : target, options.bytesMax ?? Infinity)
          : { bytes: (await source.stat()).size, sha256: known };
      if (isLinked) this.linkedBytes += done.bytes;
      this.#count(to, done);
    } finally {
      await source.close();
    }
    return true;
  }

  async write(to: string, content: string): Promise<void> {
    await this.folder(path.dirname(to));
    const target = await open(path.join(this.root, to), 'wx');
    try {
      await target.writeFile(content);
      await target.sync();
    } finally {
      await target.close();
    }
    const sha256 = createHash('sha256').update(content).digest('hex');
    this.#count(to, { bytes: Buffer.byteLength(content), sha256 });
  }

  async link(from: string, to: string): Promise<void> {
    await this.folder(path.dirname(to));
    await symlink(await readlink(from), path.join(this.root, to));
  }

  async folder(relative: string): Promise<void> {
    if (this.#folders.has(relative)) return;
    await mkdir(path.join(this.root, relative), { recursive: true });
    this.#folders.add(relative);
  }

  /** The checksums of all files so far. */
  get sums(): string {
    return this.#sums.toSorted().join('');
  }

  async finish(): Promise<void> {
    for (const folder of this.#folders) await syncFolder(path.join(this.root, folder));
    await syncFolder(this.root);
  }

  #count(file: string, { bytes, sha256 }: { bytes: number; sha256: string }): void {
    this.files += 1;
    this.bytes += bytes;
    this.#sums.push(sumLine(file, sha256));
    this.#onFile();
  }
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (WITHOUT_LINKS.has((thrown as NodeJS.ErrnoException).code ?? '')) return false;
    throw thrown;
  }
}

/** Reads the source, into the target unless that is null. */
async function copied(
  source: FileHandle,
  target: string | null,
  bytesMax: number,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { mode, size, atime, mtime } = await source.stat();
  const to = target === null ? null : await open(target, 'wx', mode & 0o777);
  try {
    const hash = createHash('sha256');
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, size)));
    let bytes = 0;
    while (bytes < bytesMax) {
      const wanted = Math.min(buffer.length, bytesMax - bytes);
      const { bytesRead } = await source.read(buffer, 0, wanted, bytes);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      await to?.writeFile(piece);
      bytes += bytesRead;
    }
    await to?.utimes(atime, mtime);
    await to?.sync();
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await to?.close();
  }
}
