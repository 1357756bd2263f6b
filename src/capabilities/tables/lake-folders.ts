import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { TableRef } from './delta-tables.ts';

/** Names that are folders of the lake; anything else in it is not ours. */
export function isFolderName(name: string): boolean {
  return /^[a-z][a-z0-9_]*$/.test(name);
}

/** Folders that may hold a table, in the order of `<namespace>.<name>`. */
export async function lakeFolders(lakeFolder: string): Promise<TableRef[]> {
  const found: TableRef[] = [];
  for (const namespace of await folders(lakeFolder)) {
    for (const name of await folders(path.join(lakeFolder, namespace))) {
      found.push({ namespace, name });
    }
  }
  const key = ({ namespace, name }: TableRef): string => `${namespace}.${name}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function folders(parent: string): Promise<string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && isFolderName(entry.name))
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
