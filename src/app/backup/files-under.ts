import { opendir } from 'node:fs/promises';
import path from 'node:path';

/** Files in the folder and below, by their paths from it; what has gone meanwhile is passed by. */
export async function* filesUnder(folder: string, below = ''): AsyncGenerator<string> {
  const folders: string[] = [];
  try {
    for await (const entry of await opendir(path.join(folder, below))) {
      const file = path.join(below, entry.name);
      if (entry.isDirectory()) folders.push(file);
      else if (entry.isFile()) yield file;
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  for (const next of folders) yield* filesUnder(folder, next);
}
