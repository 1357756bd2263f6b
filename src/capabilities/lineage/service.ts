import type { LineageEdge, LineageNode, Links } from '../../platform/capability.ts';
import { EDGES_A_NODE_MAX, NODES_MAX, type Edge, type Lineage, type Node } from './contract.ts';

/** Where an edge leads to: what something came from, or what came of it. */
type Direction = 'origins' | 'outcomes';

/** The links of all capabilities as one graph. */
export class LineageService {
  readonly #links: readonly Links[];

  constructor({ links }: { readonly links: readonly Links[] }) {
    this.#links = links;
  }

  /**
   * Follows edges from the thing to its origins, and apart from that to its outcomes: what else
   * came of an origin is not part of it.
   */
  async of(thing: Node, depth: number): Promise<Lineage> {
    const found = new Found(thing);
    const origins = await this.#follow(found, { thing, depth, direction: 'origins' });
    const outcomes = await this.#follow(found, { thing, depth, direction: 'outcomes' });
    return {
      of: thing,
      nodes: [...found.nodes.values()],
      edges: [...found.edges.values()],
      isComplete: origins && outcomes,
    };
  }

  /** Breadth first; false when a limit cut something off. */
  async #follow(
    found: Found,
    from: { readonly thing: Node; readonly depth: number; readonly direction: Direction },
  ): Promise<boolean> {
    const { depth, direction } = from;
    const seen = new Set([key(from.thing)]);
    let [level, isComplete] = [[from.thing], true];
    for (let step = 0; level.length > 0; step += 1) {
      const next: Node[] = [];
      for (const node of level) {
        const edges = await this.#edges(node, direction);
        if (edges.length > EDGES_A_NODE_MAX) isComplete = false;
        for (const edge of edges.slice(0, EDGES_A_NODE_MAX)) {
          const other = direction === 'origins' ? edge.to : edge.from;
          // One level more is looked at than shown, to know whether there is any.
          if (step === depth || !found.add(other, edge)) {
            isComplete = false;
          } else if (!seen.has(key(other))) {
            seen.add(key(other));
            next.push(other);
          }
        }
      }
      if (step === depth) break;
      level = next;
    }
    return isComplete;
  }

  async #edges(node: Node, direction: Direction): Promise<readonly LineageEdge[]> {
    const limit = EDGES_A_NODE_MAX + 1;
    const all = await Promise.all(this.#links.map((links) => links.linksOf(node, limit)));
    const here = key(node);
    const touching = all
      .flat()
      .filter((edge) => key(direction === 'origins' ? edge.from : edge.to) === here);
    return [...new Map(touching.map((edge) => [edgeKey(edge), edge])).values()];
  }
}

class Found {
  readonly nodes = new Map<string, Node>();
  readonly edges = new Map<string, Edge>();

  constructor(thing: Node) {
    this.nodes.set(key(thing), thing);
  }

  /** False when there are too many nodes already. */
  add(node: LineageNode, edge: LineageEdge): boolean {
    if (!this.nodes.has(key(node)) && this.nodes.size === NODES_MAX) return false;
    this.nodes.set(key(node), node);
    this.edges.set(edgeKey(edge), edge);
    return true;
  }
}

function key({ kind, id }: LineageNode): string {
  return `${kind}/${id}`;
}

function edgeKey({ from, to, relation }: LineageEdge): string {
  return `${key(from)} ${relation} ${key(to)}`;
}
