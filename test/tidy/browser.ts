import { isBuiltin } from 'node:module';
import { finding, type Rule } from './rule.ts';
import type { Import, SourceFile } from './tree.ts';
import { isServer } from './direction.ts';

/** The browser's composition root: where the shell and every capability's pages meet. */
export const PAGE_LISTS: readonly string[] = ['src/web/router.tsx'];

/** `contract.ts`, or `<noun>-contract.ts` where one file would hold two subjects. */
const CONTRACT = /^src\/capabilities\/[^/]+\/(?:[a-z]+-)?contract\.ts$/;

/** Code that the browser loads: the shell, every ui/, and what both sides read. */
function isBrowser(file: SourceFile): boolean {
  return (file.path.startsWith('src/') && !isServer(file)) || isBothSides(file);
}

function isBothSides(file: SourceFile): boolean {
  return file.path.startsWith('src/base/') || CONTRACT.test(file.path);
}

export const browserRule: Rule = {
  name: 'browser',
  check: (tree) =>
    tree
      .under('src/')
      .filter((file) => isBrowser(file) && !file.isTest)
      .flatMap((file) =>
        file.imports.flatMap((it) => {
          const says = browserBreach(file, it);
          return says === null ? [] : [finding(file, it.line, says)];
        }),
      ),
  plants: [
    {
      files: { 'src/web/a.tsx': `import type { S } from '../capabilities/tables/service.ts';` },
      at: 'src/web/a.tsx:1',
    },
    {
      files: { 'src/web/a.tsx': `import { P } from '../capabilities/tables/ui/page.tsx';` },
      at: 'src/web/a.tsx:1',
    },
    {
      files: { 'src/capabilities/a/ui/p.tsx': `import { x } from '../../b/ui/x.tsx';` },
      at: 'src/capabilities/a/ui/p.tsx:1',
    },
    {
      files: { 'src/capabilities/a/ui/p.tsx': `import { x } from '../../../web/shell/x.tsx';` },
      at: 'src/capabilities/a/ui/p.tsx:1',
    },
    {
      files: {
        'src/capabilities/a/ui/p.tsx': `import { Log } from '../../../platform/log/log.ts';`,
      },
      at: 'src/capabilities/a/ui/p.tsx:1',
    },
    { files: { 'src/web/a.ts': `import { join } from 'node:path';` }, at: 'src/web/a.ts:1' },
    { files: { 'src/base/a.ts': `import { hash } from 'node:crypto';` }, at: 'src/base/a.ts:1' },
    { files: { 'src/base/a.ts': `import { pino } from 'pino';` }, at: 'src/base/a.ts:1' },
    {
      files: { 'src/capabilities/a/contract.ts': `import { S } from './service.ts';` },
      at: 'src/capabilities/a/contract.ts:1',
    },
  ],
  allows: [
    {
      'src/web/router.tsx': `import { P } from '../capabilities/tables/ui/page.tsx';`,
      'src/web/main.tsx': `import { useState } from 'react';\nimport './style.css';`,
      'src/capabilities/a/ui/p.tsx':
        `import { B } from '../../b/contract.ts';\nimport { Card } from '../../../web/kit/card.tsx';\n` +
        `import { q } from './queries.ts';\nimport { A } from '../contract.ts';`,
      'src/capabilities/a/contract.ts': `import { z } from 'zod';\nimport '../../base/page.ts';\nimport '../../formats/oip/x.ts';`,
    },
  ],
};

function browserBreach(file: SourceFile, it: Import): string | null {
  const specifier = it.specifier ?? '';
  if (isBuiltin(specifier)) return `${specifier} does not exist in a browser`;
  if (it.target === null) {
    return isBothSides(file) && specifier !== 'zod'
      ? 'base and contracts, read on both sides, import zod and nothing else'
      : null;
  }
  if (it.target.startsWith('src/base/') || CONTRACT.test(it.target)) return null;
  // Protocol code is pure; what in it needs Node fails to compile with tsconfig.web.json.
  if (CONTRACT.test(file.path) && it.target.startsWith('src/formats/')) return null;
  if (isBothSides(file))
    return 'base and contracts import base, other contracts, and contracts also formats';
  if (it.target.startsWith('src/web/kit/')) return null;
  if (PAGE_LISTS.includes(file.path) && /^src\/capabilities\/[^/]+\/ui\//.test(it.target)) {
    return null;
  }
  const own = /^src\/(?:web|capabilities\/[^/]+\/ui)\//.exec(file.path)?.[0];
  if (own !== undefined && it.target.startsWith(own)) return null;
  return 'the browser imports base, contract.ts files, web/kit and its own folder';
}
