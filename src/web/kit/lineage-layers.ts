import type { Lineage, Node } from '../../capabilities/lineage/contract.ts';

export interface Layer {
  readonly title: string;
  readonly nodes: readonly Node[];
}

/** Kinds in the order in which things come of each other. */
const LAYERS: readonly (readonly [title: string, kinds: readonly string[]])[] = [
  ['Tables', ['table']],
  ['Definition', ['view', 'service', 'definition']],
  ['Training set', ['training_set']],
  ['Run', ['run']],
  ['Model version', ['model']],
  ['Routing', ['revision']],
  ['Endpoint', ['endpoint']],
  ['Request', ['request']],
];

/** The nodes by layer, without the layers that have none; kinds nobody knows come last. */
export function lineageLayers({ nodes }: Lineage): readonly Layer[] {
  const known = new Set(LAYERS.flatMap(([, kinds]) => kinds));
  const layers = LAYERS.map(([title, kinds]) => ({
    title,
    nodes: kinds.flatMap((kind) => nodes.filter((node) => node.kind === kind)),
  }));
  const others = nodes.filter(({ kind }) => !known.has(kind));
  return [...layers, { title: 'Others', nodes: others }].filter((layer) => layer.nodes.length > 0);
}

/** `late@7` as its name and number; null where the id has another form. */
export function versioned(id: string): { readonly name: string; readonly version: string } | null {
  const [, name, version] = /^(.+)@v?(\d+)$/.exec(id) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}
