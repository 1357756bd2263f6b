import { finding, type Rule } from './rule.ts';

/** Names that say nothing about what is inside, so everything ends up there. */
const EMPTY_WORDS = ['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'manager', 'misc'];

/**
 * kebab-case, with one role suffix at most: `kv.contract.ts`, `vite.config.ts`, `vite-env.d.ts`.
 */
const FILE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|config|contract|d))?\.(?:ts|tsx|mjs)$/;

/** A manifest and a list are the two things an index file may be. */
const INDEX_FILES = [
  /^src\/capabilities\/[^/]+\/index\.ts$/,
  /^src\/platform\/db\/migrations\/index\.ts$/,
];

export const nameRule: Rule = {
  name: 'names',
  check: (tree) =>
    tree.code.flatMap((file) => {
      const name = file.path.split('/').at(-1)!;
      if (!FILE_NAME.test(name)) return [finding(file, 1, 'file names are kebab-case')];
      const empty = file.path
        .split(/[/.-]/)
        .find((word) => EMPTY_WORDS.includes(word.toLowerCase()));
      if (empty !== undefined) {
        return [finding(file, 1, `"${empty}" names nothing: find the noun of what is inside`)];
      }
      if (/^index\.tsx?$/.test(name) && !INDEX_FILES.some((allowed) => allowed.test(file.path))) {
        return [finding(file, 1, 'index files are manifests of capabilities; name this one')];
      }
      return [];
    }),
  plants: [
    { files: { 'src/base/pageOf.ts': '' }, at: 'src/base/pageOf.ts:1' },
    { files: { 'src/base/time-utils.ts': '' }, at: 'src/base/time-utils.ts:1' },
    { files: { 'src/platform/shared/x.ts': '' }, at: 'src/platform/shared/x.ts:1' },
    { files: { 'src/platform/db/index.ts': '' }, at: 'src/platform/db/index.ts:1' },
    { files: { 'src/web/Button.tsx': '' }, at: 'src/web/Button.tsx:1' },
  ],
  allows: [
    {
      'src/capabilities/a/index.ts': '',
      'src/platform/db/migrations/0001-first.ts': '',
      'test/contracts/kv.contract.ts': '',
      'vite.config.ts': '',
      'src/web/vite-env.d.ts': '',
    },
  ],
};
