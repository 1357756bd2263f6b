import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BLOCK_BYTES = 64 * 1024;

/** A file system of a few megabytes, to fill up: a tmpfs, which needs the right to mount one. */
export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  constructor(megabytes: number) {
    const root = mkdtempSync(path.join(tmpdir(), 'mw-disk-'));
    this.folder = path.join(root, 'disk');
    mkdirSync(this.folder);
    this.#ballast = path.join(this.folder, 'ballast');
    asRoot('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', this.folder]);
  }

  /** Takes all the space that is left, to the last byte. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    for (let size = BLOCK_BYTES; size >= 1;) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
        size = Math.floor(size / 16);
      }
    }
    closeSync(file);
  }

  /** Leaves about so much of it, in pages of 4 KiB. */
  leave(bytes: number): void {
    this.fill();
    truncateSync(this.#ballast, Math.max(0, statSync(this.#ballast).size - bytes));
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    asRoot('umount', [this.folder]);
    rmSync(path.dirname(this.folder), { recursive: true });
  }
}

/** Directly, or through sudo where that asks nothing, as on hosted runners. */
function asRoot(command: string, words: readonly string[]): void {
  const isRoot = process.getuid?.() === 0;
  const [program, args] = isRoot ? [command, words] : ['sudo', ['-n', command, ...words]];
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
