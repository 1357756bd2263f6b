import type { Node } from 'oxc-parser';
import { finding, type Rule } from './rule.ts';
import { FILE_BYTES_MAX, type SourceFile } from './tree.ts';

/** The ceilings are where a missing boundary shows; STYLE says how to find it. */
const FILE_LINES_MAX = 400;
const TEST_LINES_MAX = 900;
const FUNCTION_LINES_MAX = 70;
const WIDTH_MAX = 100;

export const fileLengthRule: Rule = {
  name: 'file length',
  check: (tree) =>
    tree.files
      .filter((file) => /\.(ts|tsx|mjs|css|py)$/.test(file.path))
      .flatMap((file) => {
        const max = file.isTest ? TEST_LINES_MAX : FILE_LINES_MAX;
        const count = file.lines.length;
        if (count <= max) return [];
        return [
          finding(file, max + 1, `${count} lines, ${max} allowed: find the noun to split by`),
        ];
      }),
  plants: [
    { files: { 'src/a.ts': '\n'.repeat(FILE_LINES_MAX + 1) }, at: 'src/a.ts:401' },
    { files: { 'src/a.test.ts': '\n'.repeat(TEST_LINES_MAX + 1) }, at: 'src/a.test.ts:901' },
  ],
  allows: [{ 'src/a.ts': '\n'.repeat(FILE_LINES_MAX) }],
};

export const fileBytesRule: Rule = {
  name: 'file size',
  check: (tree) =>
    tree.files
      .filter((file) => file.sizeBytes > FILE_BYTES_MAX)
      .map((file) =>
        finding(file, 1, `${file.sizeBytes} bytes, 1 MiB allowed: generate or fetch it`),
      ),
  plants: [
    { files: { 'test/golden/x.txt': 'x'.repeat(FILE_BYTES_MAX + 1) }, at: 'test/golden/x.txt:1' },
  ],
};

export const widthRule: Rule = {
  name: 'width',
  check: (tree) =>
    tree.code.flatMap((file) => {
      const wide = file.lines.flatMap((text, index) =>
        text.length > WIDTH_MAX ? [{ text, line: index + 1 }] : [],
      );
      if (wide.length === 0) return [];
      const unbreakable = linesOfLongLiterals(file);
      return wide
        .filter(({ text, line }) => !unbreakable.has(line) && !/https?:\/\/\S{40}/.test(text))
        .map(({ text, line }) => finding(file, line, `${text.length} columns, 100 allowed`));
    }),
  plants: [
    { files: { 'src/a.ts': `// ${'x'.repeat(100)}` }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': `\nconst ${'x'.repeat(100)} = 'y';` }, at: 'src/a.ts:2' },
  ],
  allows: [{ 'src/a.ts': `const x =\n  '${'x'.repeat(100)}';\nconst y = \`${'x '.repeat(60)}\`;` }],
};

/** Lines where a string, template or pattern crosses the border: prettier cannot break those. */
function linesOfLongLiterals(file: SourceFile): Set<number> {
  const lines = new Set<number>();
  for (const node of file.nodes) {
    if (node.type !== 'Literal' && node.type !== 'TemplateLiteral' && node.type !== 'JSXText') {
      continue;
    }
    const [first, last] = [file.lineAt(node.start), file.lineAt(node.end)];
    const crosses = file.columnAt(node.start) <= WIDTH_MAX && file.columnAt(node.end) >= WIDTH_MAX;
    if (first === last && !crosses) continue;
    for (let line = first; line <= last; line++) lines.add(line);
  }
  return lines;
}

type FunctionNode = Extract<
  Node,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;

export const functionLengthRule: Rule = {
  name: 'function length',
  check: (tree) =>
    tree.code.flatMap((file) => {
      const cases = file.isTest ? testCases(file) : [];
      return file.nodes.filter(isFunction).flatMap((node) => {
        const count = ownLines(file, node, cases);
        if (count <= FUNCTION_LINES_MAX) return [];
        return [finding(file, file.lineAt(node.start), `${count} lines, 70 allowed`)];
      });
    }),
  plants: [
    { files: { 'src/a.ts': `\nfunction f() {${'\n'.repeat(70)}}` }, at: 'src/a.ts:2' },
    { files: { 'src/a.ts': `const f = () => {${'\n'.repeat(70)}};` }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': `class A {\n  f() {${'\n'.repeat(70)}}\n}` }, at: 'src/a.ts:2' },
    {
      files: {
        'src/a.test.ts': `describe('a', () => {\n  it('b', () => {${'\n'.repeat(70)}});\n});`,
      },
      at: 'src/a.test.ts:2',
    },
  ],
  allows: [
    { 'src/a.ts': `function f() {${'\n'.repeat(69)}}` },
    {
      'src/a.test.ts': `describe('a', () => {\n${`it('b', () => {${'\n'.repeat(50)}});\n`.repeat(3)}});`,
    },
  ],
};

function isFunction(node: Node): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

interface LineSpan {
  readonly start: number;
  readonly end: number;
}

/** Lines of a function without the test cases it lists: a suite is as long as it has cases. */
function ownLines(file: SourceFile, node: FunctionNode, cases: readonly LineSpan[]): number {
  const [start, end] = [file.lineAt(node.start), file.lineAt(node.end)];
  const covered = new Set<number>();
  for (const it of cases) {
    if (it.start <= start || it.end >= end) continue;
    for (let line = it.start; line <= it.end; line++) covered.add(line);
  }
  return end - start + 1 - covered.size;
}

const CASE_NAMES = ['describe', 'test', 'it', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach'];

/** Calls such as `it('...', () => ...)` and `describe.each(...)('...', () => ...)`. */
function testCases(file: SourceFile): readonly LineSpan[] {
  return file.nodes.flatMap((node) => {
    if (node.type !== 'CallExpression') return [];
    if (!CASE_NAMES.includes(rootName(node.callee) ?? '')) return [];
    return [{ start: file.lineAt(node.start), end: file.lineAt(node.end) }];
  });
}

/** `describe` of `describe.each(table)`; null for anything that does not start with a name. */
export function rootName(node: Node): string | null {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'MemberExpression') return rootName(node.object);
  if (node.type === 'CallExpression') return rootName(node.callee);
  return null;
}
