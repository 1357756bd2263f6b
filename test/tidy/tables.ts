import type { Node } from 'oxc-parser';
import { isServer, place } from './direction.ts';
import { finding, type Rule } from './rule.ts';
import { texts } from './bans.ts';
import type { SourceFile } from './tree.ts';

/** Query builder calls whose first argument names a table. */
const NAMING = [
  'selectFrom',
  'insertInto',
  'updateTable',
  'deleteFrom',
  'mergeInto',
  'replaceInto',
  'innerJoin',
  'leftJoin',
  'rightJoin',
  'fullJoin',
];
const CREATING = ['createTable', 'alterTable', 'dropTable'];

/** The migrator's own list of what ran; it exists before any migration could name it. */
const BOOKKEEPING = ['migrations'];

const MIGRATIONS = 'src/platform/db/migrations/';

/**
 * A table's name starts with the folder that owns it (`registry_versions`), so that its owner is
 * one search away, and nobody else reads or writes it.
 */
export const tableRule: Rule = {
  name: 'table owners',
  check: (tree) => {
    const files = tree.under('src/').filter((file) => isServer(file) && !file.isTest);
    const owners = new Set(files.flatMap((file) => ownersOf(file)));
    return files.flatMap((file) => {
      const inMigration = file.path.startsWith(MIGRATIONS);
      const candidates = inMigration ? [...owners] : ownersOf(file);
      const says = inMigration
        ? 'its name starts with no folder of capabilities or platform'
        : "it is another's: ask its owner's service";
      return tableNames(file, inMigration)
        .filter(({ name }) => !BOOKKEEPING.includes(name))
        .filter(({ name }) => !candidates.some((owner) => owns(owner, name)))
        .map(({ name, line }) => finding(file, line, `table ${name}: ${says}`));
    });
  },
  plants: [
    {
      files: {
        [`${MIGRATIONS}0001-a.ts`]: `db.schema.createTable('versions');`,
        'src/capabilities/registry/store.ts': '',
      },
      at: `${MIGRATIONS}0001-a.ts:1`,
    },
    {
      files: { [`${MIGRATIONS}0001-a.ts`]: '\nsql`create table if not exists stray (id text)`;' },
      at: `${MIGRATIONS}0001-a.ts:2`,
    },
    {
      files: { 'src/capabilities/a/store.ts': `db.selectFrom('b_rows as r').selectAll();` },
      at: 'src/capabilities/a/store.ts:1',
    },
    {
      files: { 'src/capabilities/a/store.ts': `db.selectFrom('a_x').leftJoin('b_y', 'p', 'q');` },
      at: 'src/capabilities/a/store.ts:1',
    },
    {
      files: { 'src/capabilities/a/store.ts': `db.selectFrom(['a_x', 'b_y']);` },
      at: 'src/capabilities/a/store.ts:1',
    },
  ],
  allows: [
    {
      [`${MIGRATIONS}0001-a.ts`]: `db.schema.createTable('registry_versions');`,
      'src/capabilities/registry/store.ts': `db.with('latest', f).selectFrom('latest').innerJoin('registry_versions as v', 'x', 'y');`,
    },
  ],
};

/**
 * A capability owns tables as a folder; of the platform also one file may (http/idempotency.ts).
 */
function ownersOf(file: SourceFile): readonly string[] {
  const at = place(file.path);
  if (at === null || at.folder === '') return [];
  if (at.tier === 'capabilities') return [at.folder];
  if (at.tier !== 'platform') return [];
  return [at.folder, file.path.split('/').at(-1)!.replace('.ts', '')];
}

/** `feature_rows` belongs to features, `events` to events, `model_versions` to nobody here. */
function owns(owner: string, table: string): boolean {
  const folder = owner.replaceAll('-', '_');
  return table === folder || table.startsWith(`${folder}_`);
}

function tableNames(
  file: SourceFile,
  inMigration: boolean,
): readonly { readonly name: string; readonly line: number }[] {
  const wanted = inMigration ? CREATING : NAMING;
  const named = calledWith(file, wanted);
  const temporary = new Set(calledWith(file, ['with', 'withRecursive', 'as']).map((it) => it.name));
  const raw = inMigration
    ? texts(file).flatMap(({ text, line }) =>
        [...text.matchAll(/\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?"?(\w+)/gi)].map(
          (match) => ({
            name: match[1]!,
            line,
          }),
        ),
      )
    : [];
  return [...named.filter((it) => !temporary.has(it.name)), ...raw];
}

/** First arguments of `.method('name')`, without `as alias`; arrays give each of their strings. */
function calledWith(file: SourceFile, methods: readonly string[]) {
  return file.nodes.flatMap((node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return [];
    const { property } = node.callee;
    if (property.type !== 'Identifier' || !methods.includes(property.name)) return [];
    const line = file.lineAt(property.start);
    return strings(node.arguments[0]).map((text) => ({
      name: text.trim().split(/[\s(]/)[0]!,
      line,
    }));
  });
}

function strings(node: Node | null | undefined): readonly string[] {
  if (node?.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node?.type === 'ArrayExpression') return node.elements.flatMap((element) => strings(element));
  return [];
}
