import { isBuiltin } from 'node:module';
import { finding, type Rule } from './rule.ts';
import type { Import, SourceFile } from './tree.ts';

/** base <- formats <- platform <- capabilities <- app */
const TIERS = ['base', 'formats', 'platform', 'capabilities', 'app'];

/** `src/platform/db/port.ts` is `['platform', 'db']`; null outside `src/`. */
export function place(path: string): { readonly tier: string; readonly folder: string } | null {
  const match = /^src\/([^/]+)\/(?:([^/]+)\/)?/.exec(path);
  return match === null ? null : { tier: match[1]!, folder: match[2] ?? '' };
}

/** The server's own code; the browser's half has rules of its own. */
export function isServer(file: SourceFile): boolean {
  return (
    file.path.startsWith('src/') &&
    !file.path.startsWith('src/web/') &&
    !/^src\/capabilities\/[^/]+\/ui\//.test(file.path)
  );
}

export const tierRule: Rule = {
  name: 'tiers',
  check: (tree) =>
    tree.under('src/').flatMap((file) =>
      file.imports.flatMap((it) => {
        const says = tierBreach(file, it);
        return says === null ? [] : [finding(file, it.line, says)];
      }),
    ),
  plants: [
    {
      files: { 'src/base/a.ts': `import type { X } from '../platform/db/port.ts';` },
      at: 'src/base/a.ts:1',
    },
    {
      files: { 'src/platform/db/a.ts': `\nawait import('../../capabilities/tables/service.ts');` },
      at: 'src/platform/db/a.ts:2',
    },
    {
      files: { 'src/capabilities/a/b.ts': `type X = import('../../app/create-app.ts').X;` },
      at: 'src/capabilities/a/b.ts:1',
    },
    {
      files: { 'src/app/a.ts': `export { x } from '../platform/a/b.test.ts';` },
      at: 'src/app/a.ts:1',
    },
    {
      files: { 'src/app/a.ts': `import { x } from '../../test/contracts/x.ts';` },
      at: 'src/app/a.ts:1',
    },
    { files: { 'src/app/a.ts': `import { x } from '../web/x.ts';` }, at: 'src/app/a.ts:1' },
    { files: { 'src/app/a.ts': `import { x } from '#base/x.ts';` }, at: 'src/app/a.ts:1' },
    { files: { 'src/app/a.ts': `await import(name);` }, at: 'src/app/a.ts:1' },
  ],
  allows: [
    { 'src/app/a.ts': `import { x } from '../capabilities/tables/service.ts';` },
    { 'src/platform/a/b.test.ts': `import { x } from '../../app/testing.ts';` },
    { 'src/platform/a/b.test.ts': `import { x } from '../../../test/contracts/kv.ts';` },
  ],
};

function tierBreach(file: SourceFile, it: Import): string | null {
  if (it.specifier === null) return 'import() takes a literal, so that rules can see what it loads';
  if (it.specifier.startsWith('#')) return 'import by relative path: aliases hide the direction';
  if (it.target === null) return null;
  const from = place(file.path);
  const to = place(it.target);
  if (!file.isTest) {
    if (/\.test\.tsx?$/.test(it.target) || it.target === 'src/app/testing.ts') {
      return `${it.target} is for tests only`;
    }
    if (to === null && !it.target.startsWith('src/')) {
      return `${it.target} is outside src/ and not in the published package`;
    }
  }
  if (from === null || to === null) return null;
  if (to.tier === 'web') {
    return isServer(file) ? 'src/web is the browser half; the server does not import it' : null;
  }
  if (file.isTest && it.target === 'src/app/testing.ts') return null;
  const up = TIERS.indexOf(to.tier) > TIERS.indexOf(from.tier);
  if (!up || from.tier === 'web') return null;
  return `${from.tier} does not import ${to.tier} (${TIERS.join(' <- ')}); pass it in instead`;
}

/** Computation and types; everything that touches files, sockets, processes or threads is I/O. */
const PURE_BUILTINS = ['node:assert', 'node:buffer', 'node:crypto', 'node:util', 'node:zlib'];

export const formatsRule: Rule = {
  name: 'formats',
  check: (tree) =>
    tree
      .under('src/formats/')
      .filter((file) => !file.isTest)
      .flatMap((file) =>
        file.imports.flatMap((it) => {
          const own = place(file.path)?.folder;
          const to = it.target === null ? null : place(it.target);
          if (to !== null && to.tier === 'formats' && to.folder !== own) {
            return [finding(file, it.line, `formats/${own} does not import formats/${to.folder}`)];
          }
          const specifier = it.specifier ?? '';
          if (isBuiltin(specifier) && !PURE_BUILTINS.includes(specifier)) {
            return [finding(file, it.line, `${specifier} is I/O: take it as an interface`)];
          }
          return [];
        }),
      ),
  plants: [
    {
      files: { 'src/formats/delta/a.ts': `import type { X } from '../oip/x.ts';` },
      at: 'src/formats/delta/a.ts:1',
    },
    {
      files: { 'src/formats/delta/a.ts': `import { readFile } from 'node:fs/promises';` },
      at: 'src/formats/delta/a.ts:1',
    },
  ],
  allows: [
    {
      'src/formats/delta/a.ts': `import { createHash } from 'node:crypto';\nimport './log.ts';`,
      'src/formats/delta/a.test.ts': `import { readFile } from 'node:fs/promises';`,
    },
  ],
};

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** Platform folders that may import another's insides, not only its port. */
export const PLATFORM_PAIRS: readonly Pair[] = [
  { from: 'http', to: 'events', why: 'the event stream is events, followed over HTTP' },
  { from: 'outbox', to: 'events', why: 'webhooks send events, in the form the API shows them' },
  { from: 'outbox', to: 'config', why: 'the type of a declared webhook is its configuration' },
];

/** What any platform folder may import of another: its port, and the files at the tier's root. */
const OPEN = /^src\/platform\/(?:[^/]+\.ts|log\/log\.ts|[^/]+\/(?:port|mount|context)\.ts)$/;

export const platformRule: Rule = {
  name: 'platform',
  check: (tree) =>
    tree
      .under('src/platform/')
      .filter((file) => !file.isTest)
      .flatMap((file) =>
        file.imports.flatMap((it) => {
          const from = place(file.path)?.folder;
          if (it.target === null || OPEN.test(it.target)) return [];
          const to = place(it.target);
          if (to?.tier !== 'platform' || to.folder === from) return [];
          if (PLATFORM_PAIRS.some((pair) => pair.from === from && pair.to === to.folder)) return [];
          return [
            finding(
              file,
              it.line,
              `platform/${from} imports only platform/${to.folder}'s port.ts; ` +
                'otherwise list the pair with its reason in test/tidy/direction.ts',
            ),
          ];
        }),
      ),
  plants: [
    {
      files: { 'src/platform/kv/a.ts': `import type { X } from '../blobs/fs.ts';` },
      at: 'src/platform/kv/a.ts:1',
    },
  ],
  allows: [
    {
      'src/platform/kv/a.ts':
        `import { sleep } from '../system.ts';\nimport type { Log } from '../log/log.ts';\n` +
        `import type { Blobs } from '../blobs/port.ts';\nimport { x } from './b.ts';`,
    },
  ],
};

/** Examples are what a user would write: HTTP clients that know contracts at most. */
export const examplesRule: Rule = {
  name: 'examples',
  check: (tree) =>
    tree.under('examples/').flatMap((file) =>
      file.imports
        .filter((it) => it.target !== null && it.target.startsWith('src/'))
        .filter((it) => !/^src\/(?:base\/|capabilities\/[^/]+\/contract\.ts$)/.test(it.target!))
        .map((it) => finding(file, it.line, 'examples use the HTTP API, not the source')),
    ),
  plants: [
    {
      files: { 'examples/a/run.ts': `import { x } from '../../src/app/create-app.ts';` },
      at: 'examples/a/run.ts:1',
    },
  ],
  allows: [
    {
      'examples/a/run.ts': `import { getHealth } from '../../src/capabilities/workspace/contract.ts';`,
    },
  ],
};
