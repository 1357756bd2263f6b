import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder: two levels above this file, from source (`src/app`) and when built. */
export const packageFolder = findPackage(path.dirname(fileURLToPath(import.meta.url)));

export const programVersion = (
  JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string }
).version;

/** Built from source it is `src/app`, installed it is `dist/server/app`. */
function findPackage(folder: string): string {
  return path.basename(path.dirname(folder)) === 'src'
    ? path.resolve(folder, '../..')
    : path.resolve(folder, '../../..');
}
