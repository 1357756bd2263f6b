import type { Node } from 'oxc-parser';
import { finding, type Rule } from './rule.ts';
import { rootName } from './size.ts';

export const formRule: Rule = {
  name: 'forms',
  check: (tree) =>
    tree.code.flatMap((file) =>
      file.nodes.flatMap((node) => {
        const says = breach(node);
        if (says === null) return [];
        if (node.type === 'ExportDefaultDeclaration' && file.path.endsWith('.config.ts')) return [];
        return [finding(file, file.lineAt(node.start), says)];
      }),
    ),
  plants: [
    { files: { 'src/a.ts': 'export default 1;' }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': '\nenum A { B }' }, at: 'src/a.ts:2' },
    { files: { 'src/a.ts': `export * from './b.ts';\nexport const x = 1;` }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': `export { a } from './b.ts';` }, at: 'src/a.ts:1' },
  ],
  allows: [
    {
      'vite.config.ts': 'export default {};',
      'src/a.ts': `export { a } from './b.ts';\nexport const c = 1;`,
    },
  ],
};

function breach(node: Node): string | null {
  const barrel = 'no barrels: import from the file that declares it';
  if (node.type === 'ExportDefaultDeclaration') return 'export by name, not by default';
  if (node.type === 'TSEnumDeclaration') return 'a union of string literals instead of an enum';
  if (node.type === 'ExportAllDeclaration') return barrel;
  if (node.type !== 'Program' || node.body.length === 0) return null;
  const onlyForwards = node.body.every(
    (it) => it.type === 'ExportNamedDeclaration' && it.source !== null,
  );
  return onlyForwards ? barrel : null;
}

const MODIFIERS = ['only', 'skip', 'todo', 'skipIf', 'runIf', 'fails', 'fixme'];
const RUNNERS = ['test', 'it', 'describe', 'suite', 'context'];

export const everyTestRule: Rule = {
  name: 'every test runs',
  check: (tree) =>
    tree.code
      .filter((file) => file.isTest)
      .flatMap((file) =>
        file.nodes.flatMap((node) => {
          if (node.type !== 'MemberExpression' || node.property.type !== 'Identifier') return [];
          if (!MODIFIERS.includes(node.property.name)) return [];
          if (!RUNNERS.includes(rootName(node.object) ?? '')) return [];
          const line = file.lineAt(node.property.start);
          return [finding(file, line, `.${node.property.name}: every test runs, or is deleted`)];
        }),
      ),
  plants: [
    { files: { 'src/a.test.ts': `it.only('x', f);` }, at: 'src/a.test.ts:1' },
    { files: { 'src/a.test.ts': `\ndescribe.skip('x', f);` }, at: 'src/a.test.ts:2' },
    { files: { 'test/a.ts': `test.todo('x');` }, at: 'test/a.ts:1' },
    { files: { 'src/a.test.ts': `it.concurrent.skipIf(x)('y', f);` }, at: 'src/a.test.ts:1' },
  ],
  allows: [{ 'src/a.test.ts': `it.each([1])('x', f);\nstream.skip(1);` }],
};
