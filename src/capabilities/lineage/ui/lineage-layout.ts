import type { Lineage, Node } from '../contract.ts';
import { lineageLayers } from '../../../web/kit/lineage-layers.ts';

/** Things drawn of a layer that is not opened, and of one that is: a picture has an end. */
export const CLOSED_SHOWN = 8;
export const OPEN_SHOWN = 100;

/**
 * A box of the picture: a thing, or those of its layer that are not drawn. Without either it is a
 * place where lines pass by the things of a layer.
 */
export interface Box {
  readonly layer: number;
  /** From the top of its layer. */
  readonly row: number;
  /** Null for the box that stands for the rest, and where lines pass. */
  readonly node: Node | null;
  readonly hidden: number;
}

export interface Line {
  /** Indices of boxes; what came of `from` is `to`. */
  readonly from: number;
  readonly to: number;
  readonly relation: string;
}

export interface LayoutLayer {
  readonly title: string;
  readonly count: number;
  readonly isOpen: boolean;
}

export interface Layout {
  readonly layers: readonly LayoutLayer[];
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  /** Of the highest layer. */
  readonly rows: number;
}

export function keyOf({ kind, id }: Node): string {
  return `${kind}/${id}`;
}

/**
 * Things in layers from left to right, in each beside those they belong to. Layers of many things
 * are closed: the first ones are drawn, and one box for the rest.
 */
export function layOutLineage(lineage: Lineage, open: readonly string[]): Layout {
  const layers = lineageLayers(lineage);
  const ordered = orderLayers(
    layers.map(({ nodes }) => nodes),
    lineage,
  );
  const boxes: Box[] = [];
  const boxOf = new Map<string, number>();
  for (const [layer, nodes] of ordered.entries()) {
    const shown = shownOf(nodes, lineage.of, open.includes(layers[layer]!.title));
    for (const node of shown) {
      boxOf.set(keyOf(node), boxes.length);
      boxes.push({ layer, row: shown.indexOf(node), node, hidden: 0 });
    }
    const hidden = nodes.filter((node) => !boxOf.has(keyOf(node)));
    if (hidden.length === 0) continue;
    for (const node of hidden) boxOf.set(keyOf(node), boxes.length);
    boxes.push({ layer, row: shown.length, node: null, hidden: hidden.length });
  }
  const lines = around(boxes, linesOf(lineage, boxOf));
  return {
    layers: layers.map(({ title, nodes }) => ({
      title,
      count: nodes.length,
      isOpen: open.includes(title),
    })),
    boxes,
    lines,
    rows: Math.max(...boxes.map(({ row }) => row + 1)),
  };
}

/** The asked thing is always drawn. One that would be the only one left out is drawn as well. */
function shownOf(nodes: readonly Node[], of: Node, isOpen: boolean): readonly Node[] {
  const most = isOpen ? OPEN_SHOWN : CLOSED_SHOWN;
  if (nodes.length <= most + 1) return nodes;
  const asked = nodes.findIndex((node) => keyOf(node) === keyOf(of));
  const first = nodes.slice(0, most);
  return asked < most ? first : [...first.slice(0, -1), nodes[asked]!];
}

/**
 * Leads lines over more than one layer around the things in between: else a line would seem to
 * lead to them. Lines of one origin share their way. Adds the places to the boxes.
 */
function around(boxes: Box[], lines: readonly Line[]): readonly Line[] {
  const heights = new Map<number, number>();
  for (const { layer } of boxes) heights.set(layer, (heights.get(layer) ?? 0) + 1);
  const placeOf = new Map<string, number>();
  const found = new Map<string, Line>();
  const add = (line: Line): void => {
    found.set(`${line.from} ${line.to}`, line);
  };
  for (const { from, to, relation } of lines) {
    let former = from;
    for (let layer = boxes[from]!.layer + 1; layer < boxes[to]!.layer; layer += 1) {
      const key = `${from} ${layer}`;
      let place = placeOf.get(key);
      if (place === undefined) {
        const row = heights.get(layer) ?? 0;
        heights.set(layer, row + 1);
        place = boxes.push({ layer, row, node: null, hidden: 0 }) - 1;
        placeOf.set(key, place);
      }
      add({ from: former, to: place, relation });
      former = place;
    }
    add({ from: former, to, relation });
  }
  return [...found.values()];
}

/** Each line once, however many hidden things it stands for; from origins to outcomes. */
function linesOf({ edges }: Lineage, boxOf: ReadonlyMap<string, number>): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const { from, to, relation } of edges) {
    const [origin, outcome] = [boxOf.get(keyOf(to)), boxOf.get(keyOf(from))];
    if (origin === undefined || outcome === undefined || origin === outcome) continue;
    lines.set(`${origin} ${outcome}`, { from: origin, to: outcome, relation });
  }
  return [...lines.values()];
}

/**
 * Puts each thing at the mean place of what it is joined to in the layers before, then the same
 * from the right: the usual sweep against crossing lines (Sugiyama, Tagawa and Toda, 1981).
 */
function orderLayers(
  layers: readonly (readonly Node[])[],
  { edges }: Lineage,
): readonly (readonly Node[])[] {
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      const known = neighbours.get(keyOf(one)) ?? [];
      known.push(keyOf(other));
      neighbours.set(keyOf(one), known);
    }
  }
  const sweep = (ordered: readonly (readonly Node[])[]): (readonly Node[])[] => {
    const place = new Map<string, number>();
    return ordered.map((nodes) => {
      const meanOf = (node: Node, index: number): number => {
        const places = (neighbours.get(keyOf(node)) ?? []).flatMap((key) => place.get(key) ?? []);
        if (places.length === 0) return index / Math.max(1, nodes.length);
        return places.reduce((sum, one) => sum + one, 0) / places.length;
      };
      const means = nodes.map((node, index) => ({ node, mean: meanOf(node, index) }));
      const sorted = means.toSorted((a, b) => a.mean - b.mean).map(({ node }) => node);
      for (const [index, node] of sorted.entries()) {
        place.set(keyOf(node), index / Math.max(1, sorted.length));
      }
      return sorted;
    });
  };
  return sweep(sweep(layers).toReversed()).toReversed();
}
