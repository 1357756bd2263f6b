import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.ts';

/** What a user of the package gets besides our own code, from package-lock.json. */

export interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  /** By path; the package itself under the empty one. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly license: string | null;
  readonly hasInstallScript: boolean;
  /** Not installed, but part of the files of the web UI. */
  readonly isBundled: boolean;
}

/** Permissive ones: a user may ship what contains us without giving anything away. */
export const LICENSES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  '(MIT OR CC0-1.0)',
  'Unlicense',
]);

export function readLock(): Lock {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
}

/** Installed with the package, or bundled into its pages; `webImports` are packages' names. */
export function shippedPackages(lock: Lock, webImports: readonly string[]): readonly Shipped[] {
  const root = lock.packages['']!;
  const installed = closure(
    lock,
    Object.keys({ ...root.dependencies, ...root.optionalDependencies }),
  );
  const bundled = closure(lock, webImports);
  return [...new Set([...installed, ...bundled])].sort().map((path) => {
    const { version, license = null, hasInstallScript = false } = lock.packages[path]!;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return { name, version, license, hasInstallScript, isBundled: !installed.has(path) };
  });
}

/** Paths of the packages and of all that they need. */
function closure(lock: Lock, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const wanted = names.map((name) => ({ name, from: '' }));
  for (const { name, from } of wanted) {
    const path = resolved(lock, name, from);
    // An optional or peer dependency that this lock does without.
    if (path === null || found.has(path)) continue;
    found.add(path);
    const { dependencies, optionalDependencies, peerDependencies } = lock.packages[path]!;
    const needs = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    wanted.push(...Object.keys(needs).map((need) => ({ name: need, from: path })));
  }
  return found;
}

/** Where Node finds it from there: in the nearest `node_modules` on the way up. */
function resolved(lock: Lock, name: string, from: string): string | null {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in lock.packages) return path;
    if (folder === '') return null;
  }
}

const IMPORT = /(?:from|import)\s+'((?:@[^/']+\/)?[^./'][^/']*)/g;

/** Packages that the sources of the pages import. */
export function webImports(): readonly string[] {
  const found = new Set<string>();
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    const isPage = /(?:^web\/|\/ui\/).*\.tsx?$/.test(file) && !file.includes('.test.');
    if (!isPage) continue;
    const text = readFileSync(join(ROOT, 'src', file), 'utf8');
    for (const [, name] of text.matchAll(IMPORT)) if (!name!.startsWith('node:')) found.add(name!);
  }
  return [...found].sort();
}

/** What must not be shipped, a line each; none when all is well. */
export function problemsOf(
  packages: readonly Shipped[],
  declaredScripts: ReadonlySet<string>,
): readonly string[] {
  return packages.flatMap(({ name, version, license, hasInstallScript }) => [
    ...(license !== null && LICENSES.has(license)
      ? []
      : [`${name}@${version}: licence ${license ?? 'unknown'} is not on the list`]),
    ...(hasInstallScript && !declaredScripts.has(name)
      ? [`${name}@${version}: its install script is not declared in allowScripts of package.json`]
      : []),
  ]);
}

/** Packages whose install scripts package.json says may run. */
export function declaredScripts(): ReadonlySet<string> {
  const { allowScripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly allowScripts: Readonly<Record<string, boolean>>;
  };
  return new Set(Object.keys(allowScripts).filter((name) => allowScripts[name]));
}
