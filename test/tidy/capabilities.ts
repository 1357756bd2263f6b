import { finding, type Finding, type Rule } from './rule.ts';
import type { Import, SourceFile, Tree } from './tree.ts';
import { isServer, place } from './direction.ts';

const GRAPH_FILE = 'src/capabilities/graph.ts';

/**
 * Files besides `service.ts` whose types a capability shows along an edge, such as the engine-side
 * half of a service that another's tasks are built on.
 */
export const SHOWN_TYPES: Readonly<Record<string, readonly string[]>> = {
  // What the gateway writes before it answers: no service, because nothing there may wait. The
  // engine's reader of what was answered, and what brings its labels up to a time.
  predictions: ['log.ts', 'labelled-requests.ts', 'label-sources.ts'],
  // Delta tables as the engine process has them, where there is no service.
  tables: ['delta-tables.ts'],
};

export interface Graph {
  readonly edges: ReadonlyMap<string, readonly string[]>;
  readonly line: number;
}

/** The object literal `graph` of graph.ts, read as text: rules also run over trees in memory. */
export function graphOf(tree: Tree): Graph | null {
  const file = tree.file(GRAPH_FILE);
  for (const node of file?.nodes ?? []) {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') continue;
    if (node.id.name !== 'graph' || node.init?.type !== 'ObjectExpression') continue;
    const edges = new Map<string, readonly string[]>();
    for (const property of node.init.properties) {
      if (property.type !== 'Property' || property.value.type !== 'ArrayExpression') return null;
      const key = property.key;
      const name = key.type === 'Identifier' ? key.name : key.type === 'Literal' ? key.value : null;
      if (typeof name !== 'string') return null;
      const targets = property.value.elements.map((element) =>
        element?.type === 'Literal' && typeof element.value === 'string' ? element.value : '',
      );
      edges.set(name, targets);
    }
    return { edges, line: file!.lineAt(node.start) };
  }
  return null;
}

function capabilityNames(tree: Tree): readonly string[] {
  const names = tree
    .under('src/capabilities/')
    .map((file) => place(file.path)?.folder ?? '')
    .filter((name) => name !== '');
  return [...new Set(names)].toSorted();
}

export const graphRule: Rule = {
  name: 'capability graph',
  check: (tree) => {
    const names = capabilityNames(tree);
    const file = tree.file(GRAPH_FILE);
    if (names.length === 0 && file === undefined) return [];
    const graph = graphOf(tree);
    if (graph === null || file === undefined) {
      return [{ path: GRAPH_FILE, line: 1, says: 'declare `graph` as a plain object of arrays' }];
    }
    const say = (says: string): Finding => finding(file, graph.line, says);
    const unknown = [...graph.edges].flatMap(([from, targets]) =>
      targets
        .filter((to) => !graph.edges.has(to))
        .map((to) => say(`edge ${from} -> ${to} leads nowhere`)),
    );
    const cycle = findCycle(graph.edges);
    return [
      ...names
        .filter((name) => !graph.edges.has(name))
        .map((name) => say(`folder ${name} is missing`)),
      ...[...graph.edges.keys()]
        .filter((name) => !names.includes(name))
        .map((name) => say(`${name} has no folder`)),
      ...unknown,
      ...(cycle === null ? [] : [say(`cycle ${cycle.join(' -> ')}`)]),
    ];
  },
  plants: [
    {
      files: {
        [GRAPH_FILE]: `export const graph = { a: ['b'], b: ['a'] };`,
        'src/capabilities/a/contract.ts': '',
        'src/capabilities/b/contract.ts': '',
      },
      at: `${GRAPH_FILE}:1`,
    },
    {
      files: { [GRAPH_FILE]: `export const graph = {};`, 'src/capabilities/a/contract.ts': '' },
      at: `${GRAPH_FILE}:1`,
    },
    { files: { [GRAPH_FILE]: `\nexport const graph = { a: [] };` }, at: `${GRAPH_FILE}:2` },
    {
      files: {
        [GRAPH_FILE]: `export const graph = { a: ['z'] };`,
        'src/capabilities/a/contract.ts': '',
      },
      at: `${GRAPH_FILE}:1`,
    },
    { files: { 'src/capabilities/a/contract.ts': '' }, at: `${GRAPH_FILE}:1` },
  ],
};

function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const next of edges.get(name) ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle !== null) return cycle;
    }
    done.add(name);
    return null;
  };
  for (const name of edges.keys()) {
    const cycle = visit(name, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Everything that can be reached over edges: a test builds the real services below its own. */
function reachable(edges: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const seen = new Set<string>();
  const queue = [from];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const next of edges.get(name) ?? []) {
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
  }
  return seen;
}

export const edgeRule: Rule = {
  name: 'capability edges',
  check: (tree) => {
    const edges = graphOf(tree)?.edges ?? new Map<string, readonly string[]>();
    return tree
      .under('src/capabilities/')
      .filter(isServer)
      .flatMap((file) =>
        file.imports.flatMap((it) => {
          const says = edgeBreach(file, it, edges);
          return says === null ? [] : [finding(file, it.line, says)];
        }),
      );
  },
  plants: [
    {
      files: withGraph({ 'a/x.ts': `import '../c/contract.ts';` }),
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: withGraph({ 'a/x.ts': `import { BService } from '../b/service.ts';` }),
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: withGraph({ 'a/x.ts': `import { type BService } from '../b/service.ts';` }),
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: withGraph({ 'a/x.ts': `\nimport type { Row } from '../b/store.ts';` }),
      at: 'src/capabilities/a/x.ts:2',
    },
    {
      files: withGraph({ 'a/x.ts': `type S = import('../c/service.ts').S;` }),
      at: 'src/capabilities/a/x.ts:1',
    },
    {
      files: withGraph({ 'a/x.test.ts': `import { S } from '../d/service.ts';` }),
      at: 'src/capabilities/a/x.test.ts:1',
    },
    {
      files: withGraph({ 'a/x.ts': `import { graph } from '../graph.ts';` }),
      at: 'src/capabilities/a/x.ts:1',
    },
  ],
  allows: [
    withGraph({
      'a/x.ts': `import { B } from '../b/contract.ts';\nimport type { S } from '../b/service.ts';`,
      'a/x.test.ts': `import { S } from '../b/service.ts';\nimport { C } from '../c/service.ts';`,
    }),
  ],
};

/** a -> b -> c, and d apart. */
function withGraph(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const placed = Object.entries(files).map(([path, text]) => [`src/capabilities/${path}`, text]);
  return {
    [GRAPH_FILE]: `export const graph = { a: ['b'], b: ['c'], c: [], d: [] };`,
    ...Object.fromEntries(placed),
  };
}

function edgeBreach(
  file: SourceFile,
  it: Import,
  edges: ReadonlyMap<string, readonly string[]>,
): string | null {
  const from = place(file.path);
  const to = it.target === null ? null : place(it.target);
  if (it.target === null || from === null || to?.tier !== 'capabilities') return null;
  if (from.folder === '' || to.folder === from.folder) return null;
  if (to.folder === '') return 'the graph is for tests; a capability does not read it';
  if (file.isTest && reachable(edges, from.folder).has(to.folder)) return null;
  if (!(edges.get(from.folder) ?? []).includes(to.folder)) {
    return `no edge ${from.folder} -> ${to.folder} in ${GRAPH_FILE}`;
  }
  const inside = it.target.slice(`src/capabilities/${to.folder}/`.length);
  if (inside === 'contract.ts') return null;
  if (inside !== 'service.ts' && SHOWN_TYPES[to.folder]?.includes(inside) !== true) {
    return `${inside} is ${to.folder}'s own; use its contract.ts, or its service by constructor`;
  }
  if (it.kind === 'type') return null;
  return `write \`import type\`: ${to.folder}'s service arrives by constructor`;
}

const REQUIRED = ['README.md', 'contract.ts', 'index.ts'];

export const shapeRule: Rule = {
  name: 'capability shape',
  check: (tree) => {
    const extra = tree.files.flatMap((file) => {
      const inside = /^src\/capabilities\/[^/]+\/(.+)$/.exec(file.path)?.[1];
      if (inside === undefined || inside === 'README.md') return [];
      if (inside.startsWith('ui/')) return [];
      if (inside.includes('/')) return [finding(file, 1, 'the only folder of a capability is ui/')];
      if (/^[a-z0-9-]+(?:\.test)?\.ts$/.test(inside)) return [];
      return [finding(file, 1, 'a capability holds README.md, kebab-case nouns in .ts, and ui/')];
    });
    const missing = capabilityNames(tree).flatMap((name) =>
      REQUIRED.map((it) => `src/capabilities/${name}/${it}`)
        .filter((path) => tree.file(path) === undefined)
        .map((path) => ({ path, line: 1, says: 'every capability has one' })),
    );
    return [...extra, ...missing];
  },
  plants: [
    {
      files: { ...whole(), 'src/capabilities/a/queries/x.ts': '' },
      at: 'src/capabilities/a/queries/x.ts:1',
    },
    { files: { ...whole(), 'src/capabilities/a/Big.ts': '' }, at: 'src/capabilities/a/Big.ts:1' },
    { files: { ...whole(), 'src/capabilities/a/a.tsx': '' }, at: 'src/capabilities/a/a.tsx:1' },
    {
      files: { 'src/capabilities/a/contract.ts': '', 'src/capabilities/a/index.ts': '' },
      at: 'src/capabilities/a/README.md:1',
    },
  ],
  allows: [
    { ...whole(), 'src/capabilities/a/ui/page.tsx': '', 'src/capabilities/a/mlflow.ts': '' },
  ],
};

function whole(): Readonly<Record<string, string>> {
  return Object.fromEntries(REQUIRED.map((name) => [`src/capabilities/a/${name}`, '']));
}
