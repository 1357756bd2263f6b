import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';

/**
 * Where DVC keeps its cache: `cache.dir` of `.dvc/config.local` or `.dvc/config`, else
 * `.dvc/cache`. How files are linked (`cache.type`) is left to DVC: copies satisfy it. Settings
 * that would change what a stage is are refused by name.
 */
export async function dvcCacheFolder(dvcFolder: string): Promise<string> {
  let folder = path.join(dvcFolder, 'cache');
  for (const name of ['config', 'config.local']) {
    const file = path.join(dvcFolder, name);
    const settings = readIni(await readFile(file, 'utf8').catch(() => ''));
    for (const key of settings.keys()) {
      if (key.startsWith('parsing.') || key === 'hydra.enabled') {
        throw new AppError('INVALID_PIPELINE', `${file}: ${key} is not supported.`, {
          hint: 'Remove the setting, or run this pipeline with dvc.',
        });
      }
    }
    const dir = settings.get('cache.dir');
    if (dir !== undefined) folder = path.resolve(dvcFolder, dir);
  }
  return folder;
}

/** `section.key` by value; sections such as `['remote "x"']` keep their text. */
function readIni(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    const heading = /^\[(.*)\]$/.exec(trimmed);
    if (heading !== null) section = (heading[1] ?? '').replaceAll("'", '').toLowerCase();
    const pair = /^([^#;=\s][^=]*?)\s*=\s*(.*)$/.exec(trimmed);
    if (heading === null && pair !== null) {
      settings.set(`${section}.${(pair[1] ?? '').toLowerCase()}`, pair[2] ?? '');
    }
  }
  return settings;
}
