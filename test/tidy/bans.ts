import type { Node } from 'oxc-parser';
import { isServer } from './direction.ts';
import { finding, type Rule } from './rule.ts';
import type { SourceFile } from './tree.ts';

interface Ban {
  readonly matches: (node: Node) => boolean;
  readonly what: string;
  readonly instead: string;
}

const CLOCK = 'take a Clock (src/base/time.ts); real ones come from platform/system.ts';
const TIMER = 'sleep, every or after of platform/system.ts';

const BANS: readonly Ban[] = [
  { matches: member('Date', 'now'), what: 'Date.now', instead: CLOCK },
  { matches: isBareDate, what: 'new Date() without an argument', instead: CLOCK },
  { matches: member('Math', 'random'), what: 'Math.random', instead: 'pass the random source in' },
  {
    matches: (node) => node.type === 'Identifier' && node.name === 'randomUUID',
    what: 'randomUUID',
    instead: 'take Ids (src/base/ids.ts)',
  },
  { matches: calls('setTimeout'), what: 'setTimeout', instead: TIMER },
  { matches: calls('setInterval'), what: 'setInterval', instead: TIMER },
  { matches: importsTimers, what: 'a timer of node:timers', instead: TIMER },
  {
    matches: member('process', 'env'),
    what: 'process.env',
    instead: 'processEnv of platform/system.ts, read once at the edge',
  },
  {
    matches: (node) => node.type === 'MemberExpression' && isNamed(node.object, 'console'),
    what: 'console',
    instead: 'the injected Log, or Output for commands',
  },
];

/** Where the machine's clock, randomness and environment come in. */
const SOURCES = ['src/platform/system.ts'];

/**
 * Over src and test. Scripts, benchmarks, examples and configuration run on the machine itself,
 * before or beside the program, and use its clock and environment directly.
 */
export const banRule: Rule = {
  name: 'banned',
  check: (tree) =>
    [...tree.under('src/'), ...tree.under('test/')]
      .filter((file) => !SOURCES.includes(file.path))
      .flatMap((file) =>
        file.nodes.flatMap((node) =>
          BANS.filter((ban) => ban.matches(node)).map((ban) =>
            finding(file, file.lineAt(node.start), `${ban.what}: ${ban.instead}`),
          ),
        ),
      ),
  plants: [
    { files: { 'src/a.ts': 'const t = Date.now();' }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': 'const f = Date.now;' }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': '\nconst t = new Date();' }, at: 'src/a.ts:2' },
    { files: { 'src/a.ts': 'const x = Math.random();' }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': 'const x = crypto.randomUUID();' }, at: 'src/a.ts:1' },
    { files: { 'test/a.ts': 'setTimeout(f, 1);' }, at: 'test/a.ts:1' },
    { files: { 'src/a.ts': 'globalThis.setInterval(f, 1);' }, at: 'src/a.ts:1' },
    {
      files: { 'src/a.ts': `import { setTimeout } from 'node:timers/promises';` },
      at: 'src/a.ts:1',
    },
    { files: { 'src/a.ts': 'const { HOME } = process.env;' }, at: 'src/a.ts:1' },
    { files: { 'src/a.ts': 'console.log(1);' }, at: 'src/a.ts:1' },
  ],
  allows: [
    {
      'src/a.ts': `const d = new Date(ms);\nsocket.setTimeout(1);\nclock.now();\nimport { setImmediate } from 'node:timers/promises';\n// Date.now()\n'Date.now()';`,
      'src/platform/system.ts': 'Date.now();',
      'scripts/a.ts': 'console.log(process.env);',
    },
  ],
};

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function member(object: string, property: string): (node: Node) => boolean {
  return (node) =>
    node.type === 'MemberExpression' &&
    isNamed(node.object, object) &&
    (isNamed(node.property, property) ||
      (node.property.type === 'Literal' && node.property.value === property));
}

function calls(name: string): (node: Node) => boolean {
  return (node) =>
    node.type === 'CallExpression' &&
    (isNamed(node.callee, name) ||
      ['globalThis', 'window', 'global'].some((object) => member(object, name)(node.callee)));
}

function isBareDate(node: Node): boolean {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false;
  return isNamed(node.callee, 'Date') && node.arguments.length === 0;
}

function importsTimers(node: Node): boolean {
  if (node.type !== 'ImportDeclaration' || !/^(?:node:)?timers\b/.test(node.source.value))
    return false;
  return node.specifiers.some(
    (it) =>
      it.type !== 'ImportSpecifier' ||
      ['setTimeout', 'setInterval'].some((name) => isNamed(it.imported, name)),
  );
}

/**
 * Domain time is bound as a parameter; a statement that asks its engine for the time cannot replay.
 */
const SQL_CLOCK =
  /\b(?:now|getdate|clock_timestamp|transaction_timestamp)\s*\(\s*\)|\bcurrent_(?:timestamp|date|time)\b|\b(?:date|datetime|time|unixepoch|julianday|strftime)\s*\([^()]*'now'/i;

export const sqlClockRule: Rule = {
  name: 'sql clock',
  check: (tree) =>
    tree
      .under('src/')
      .filter(isServer)
      .flatMap((file) =>
        texts(file)
          .filter(({ text }) => SQL_CLOCK.test(text))
          .map(({ line }) => finding(file, line, "bind the Clock's time as a parameter instead")),
      ),
  plants: [
    { files: { 'src/platform/db/a.ts': 'sql`select now()`;' }, at: 'src/platform/db/a.ts:1' },
    {
      files: { 'src/platform/db/a.ts': `\nconst q = "default CURRENT_TIMESTAMP";` },
      at: 'src/platform/db/a.ts:2',
    },
    {
      files: { 'src/platform/db/a.ts': `const q = "select datetime('now')";` },
      at: 'src/platform/db/a.ts:1',
    },
  ],
  allows: [{ 'src/platform/db/a.ts': 'sql`select ${clock.now()} as now`;' }],
};

/** String and template text of a file, each piece with its line. */
export function texts(
  file: SourceFile,
): readonly { readonly text: string; readonly line: number }[] {
  return file.nodes.flatMap((node) => {
    const line = () => file.lineAt(node.start);
    if (node.type === 'TemplateElement') return [{ text: node.value.raw, line: line() }];
    if (node.type === 'Literal' && typeof node.value === 'string') {
      return [{ text: node.value, line: line() }];
    }
    return [];
  });
}
