import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { randomToken } from '../system.ts';

/**
 * Replaces a file so that, even over a power loss, it is wholly the old or wholly the new one, with
 * its mode (else the process's own). Of two writers at once one wins.
 */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  const temporary = `${file}.tmp-${process.pid}-${randomToken(8)}`;
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      // What `open` was given the process's mask may have narrowed.
      if (mode !== undefined) await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(path.dirname(file));
}

/** Makes the folder durable with what is missing above it, and what was renamed into it. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first !== undefined) await syncFolder(path.dirname(first));
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
