import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Obstacle, runMain, say } from './progress.mjs';
import { ROOT } from './run.ts';
import { readLock, shippedPackages, webImports } from './shipped-packages.ts';

/**
 * `npm run sbom`: dist/sbom.cdx.json, the bill of materials of the package in CycloneDX, as npm
 * makes it from the lock file alone: what is installed with it, and what its pages contain. The
 * same lock gives the same file.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly object[];
}

interface Bom {
  readonly metadata: { readonly component: Component; readonly [field: string]: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

const execute = promisify(execFile);
/** Some kilobytes a package. */
const BYTES_MAX = 64 * 1024 * 1024;
const ARGS = 'sbom --sbom-format cyclonedx --package-lock-only --offline --loglevel error';

await runMain(async () => {
  const options = { cwd: ROOT, maxBuffer: BYTES_MAX, encoding: 'utf8' } as const;
  const { stdout } = await execute('npm', ARGS.split(' '), options);
  const bom = shippedBom(JSON.parse(stdout) as Bom);
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(join(ROOT, 'dist', 'sbom.cdx.json'), `${JSON.stringify(bom, null, 2)}\n`);
  say(`  dist/sbom.cdx.json: ${bom.components.length} packages`);
});

function shippedBom(whole: Bom): Bom {
  const shipped = shippedPackages(readLock(), webImports());
  const bundled = new Map(
    shipped.map(({ name, version, isBundled }) => [`${name}@${version}`, isBundled]),
  );
  const components = whole.components
    .filter((component) => bundled.has(idOf(component)))
    .map((component) => (bundled.get(idOf(component)) ? asBundled(component) : component));
  if (components.length < bundled.size) {
    throw new Obstacle(`npm sbom told ${components.length} of ${bundled.size} packages.`);
  }
  const refs = new Set([rootOf(whole), ...components].map((component) => component['bom-ref']));
  // When it was made, and by which machine's folder it was named, is no property of the package.
  const { serialNumber: _, ...rest } = whole as Bom & { readonly serialNumber: string };
  const { timestamp: __, ...metadata } = rest.metadata;
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Component;
  return {
    ...rest,
    metadata: { ...metadata, component: { ...rootOf(whole), name } },
    components,
    dependencies: whole.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn = [] }) => ({
        ref,
        dependsOn: dependsOn.filter((it) => refs.has(it)),
      })),
  };
}

function rootOf({ metadata }: Bom): Component {
  return metadata.component;
}

function idOf({ name, version }: Component): string {
  return `${name}@${version}`;
}

function asBundled(component: Component): Component {
  const property = { name: 'millwright:bundled', value: 'web' };
  return { ...component, properties: [...(component.properties ?? []), property] };
}
