import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT, run, type Ran } from './run.ts';

/** What the built UI is made of. */
const SOURCES = [
  'src/web/**/*',
  'src/base/**/*.ts',
  'src/formats/**/*.ts',
  'src/capabilities/*/*contract.ts',
  'src/capabilities/*/ui/**/*',
  'vite.config.ts',
  'package-lock.json',
];

const BUILT = join(ROOT, 'dist', 'web', 'index.html');
const STAMP = join(CACHE, 'web');

/** Whether dist/web is what today's sources give. */
export function isWebFresh(): boolean {
  return existsSync(BUILT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

export async function buildWeb(): Promise<Ran> {
  const made = fingerprint();
  const ran = await run('vite', ['build'], { env: { NODE_ENV: 'production' } });
  if (ran.code === 0) {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(STAMP, made);
  }
  return ran;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}
