import { finding, type Rule } from './rule.ts';
import { isServer, place } from './direction.ts';
import type { SourceFile } from './tree.ts';

/** Native modules of tens of megabytes, or with a connection behind them. */
const NATIVES = ['@duckdb/node-api', 'lmdb', 'onnxruntime-node', 'pg'];

/** Concrete engines behind ports, as the start of their paths below src/platform. */
export const ADAPTERS: readonly string[] = [
  'db/sqlite',
  'db/postgres',
  'blobs/fs',
  'kv/lmdb',
  'analytics/',
  'inference/onnx',
];

function isAdapter(path: string): boolean {
  if (path.endsWith('/port.ts')) return false;
  return ADAPTERS.some((start) => path.startsWith(`src/platform/${start}`));
}

export const adapterRule: Rule = {
  name: 'adapters',
  check: (tree) =>
    tree
      .under('src/')
      .filter((file) => isServer(file) && !file.isTest && !file.path.startsWith('src/app/'))
      .flatMap((file) =>
        file.imports
          .filter((it) => it.target !== null && isAdapter(it.target))
          .filter((it) => {
            const [from, to] = [place(file.path), place(it.target!)];
            return from?.tier !== 'platform' || from.folder !== to?.folder;
          })
          .map((it) =>
            finding(file, it.line, `only src/app chooses ${it.target}; take its port instead`),
          ),
      ),
  plants: [
    {
      files: { 'src/capabilities/a/x.ts': `import type { D } from '../../platform/db/sqlite.ts';` },
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: { 'src/platform/kv/x.ts': `await import('../analytics/duckdb-reader.ts');` },
      at: 'src/platform/kv/x.ts:1',
    },
  ],
  allows: [
    {
      'src/app/create-app.ts': `import { openSqlite } from '../platform/db/sqlite.ts';`,
      'src/platform/db/open.ts': `import { openSqlite } from './sqlite.ts';`,
      'src/capabilities/a/x.test.ts': `import { openSqlite } from '../../platform/db/sqlite.ts';`,
    },
  ],
};

/**
 * Starting the program loads no native module. An adapter may import its engine plainly, because
 * whoever wants the adapter says `await import()`; every other file that drags one in is named.
 */
export const nativeRule: Rule = {
  name: 'natives',
  check: (tree) => {
    const files = tree.under('src/').filter((file) => !file.isTest);
    const heavy = heavyFiles(files);
    return files.flatMap((file) =>
      file.imports.flatMap((it) => {
        const say = (says: string) => [finding(file, it.line, says)];
        if (isAdapter(file.path)) return [];
        // Named where the weight comes in; who imports this file in turn only passes it on.
        if (it.kind === 'value' && isAdapter(it.target ?? '') && heavy.has(it.target!)) {
          return say(`${it.target} loads a native module: \`await import()\` it when first needed`);
        }
        if (!NATIVES.includes(it.specifier ?? '')) return [];
        if (it.kind === 'type' && file.path.startsWith('src/platform/')) return [];
        return say(`${it.specifier} belongs to an adapter listed in test/tidy/adapters.ts`);
      }),
    );
  },
  plants: [
    {
      files: { 'src/capabilities/a/x.ts': `import { open } from 'lmdb';` },
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: { 'src/platform/kv/other.ts': `await import('lmdb');` },
      at: 'src/platform/kv/other.ts:1',
    },
    {
      files: { 'src/capabilities/a/x.ts': `import type { DuckDBValue } from '@duckdb/node-api';` },
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: {
        'src/platform/kv/lmdb-types.ts': `import { type Database } from 'lmdb';`,
        'src/platform/kv/lmdb.ts': `import { x } from './lmdb-types.ts';`,
        'src/app/create-app.ts': `import { openLmdb } from '../platform/kv/lmdb.ts';`,
      },
      at: 'src/app/create-app.ts:1',
    },
  ],
  allows: [
    {
      'src/platform/kv/lmdb.ts': `import { open } from 'lmdb';`,
      'src/platform/kv/lmdb-reader.ts': `import type { Database } from 'lmdb';`,
      'src/platform/kv/x.test.ts': `import { open } from 'lmdb';`,
      'src/app/create-app.ts':
        `import { openReader } from '../platform/kv/lmdb-reader.ts';\n` +
        `const { openLmdb } = await import('../platform/kv/lmdb.ts');`,
    },
  ],
};

/** Files that load a native module when they are loaded, themselves or through what they import. */
function heavyFiles(files: readonly SourceFile[]): ReadonlySet<string> {
  const heavy = new Set<string>();
  for (let before = -1; before !== heavy.size;) {
    before = heavy.size;
    for (const file of files) {
      const loads = file.imports.filter((it) => it.kind === 'value');
      if (loads.some((it) => NATIVES.includes(it.specifier ?? '') || heavy.has(it.target ?? ''))) {
        heavy.add(file.path);
      }
    }
  }
  return heavy;
}
