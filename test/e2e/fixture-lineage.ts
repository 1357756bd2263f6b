import type { Edge, Lineage, Node } from '../../src/capabilities/lineage/contract.ts';
import { runId } from './fixture-runs.ts';
import { hex } from './fixture-values.ts';

function node(text: string): Node {
  const slash = text.indexOf('/');
  return { kind: text.slice(0, slash), id: text.slice(slash + 1) };
}

/** From two tables to an endpoint. */
const CHAIN: readonly (readonly [from: string, relation: string, to: string])[] = [
  ['endpoint/late', 'routed by', 'revision/late@3'],
  ['revision/late@3', 'routes to', 'model/late@2'],
  ['model/late@2', 'made by', `run/${runId(1)}`],
  [`run/${runId(1)}`, 'trained on', 'training_set/late_train@3'],
  ['training_set/late_train@3', 'computed by', `definition/${hex(30, 64)}`],
  ['training_set/late_train@3', 'read', 'table/default.landings@117'],
  ['training_set/late_train@3', 'read', 'table/default.departures@118'],
];

/** A table that many runs were trained on, a model version each. */
const BUSY = 'table/default.busy@9';
const BUSY_RUNS = 60;
const MANY: typeof CHAIN = Array.from({ length: BUSY_RUNS }, (_, index) => index + 1).flatMap(
  (n) => [
    [`run/${runId(n)}`, 'read', BUSY],
    [`model/late@${n}`, 'made by', `run/${runId(n)}`],
  ],
);

/** The whole chain for what is part of it; anything else came from nothing. */
export function lineageOf(of: string, depth: number): Lineage {
  const chain = of === BUSY ? MANY : CHAIN;
  const near = depth > 1 ? chain : chain.filter(([from, , to]) => from === of || to === of);
  const edges: Edge[] = near.map(([from, relation, to]) => ({
    from: node(from),
    to: node(to),
    relation,
  }));
  const ids = new Set(near.flatMap(([from, , to]) => [from, to]));
  if (!ids.has(of)) return { of: node(of), nodes: [node(of)], edges: [], isComplete: true };
  return { of: node(of), nodes: [...ids].map(node), edges, isComplete: depth > 1 };
}
