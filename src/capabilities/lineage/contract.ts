import { z } from 'zod';
import { route } from '../../base/route.ts';

/** Steps away from the thing asked for: the longest chain there is has seven. */
export const DEPTH_MAX = 20;
export const DEPTH_DEFAULT = 8;
/** Nodes of one answer: more than anybody can look at. */
export const NODES_MAX = 500;
/** Edges of one thing that are followed in one direction. */
export const EDGES_A_NODE_MAX = 100;

export const Node = z.object({ kind: z.string(), id: z.string() });
export type Node = z.infer<typeof Node>;

/** `from` came from `to`, or rests on it. */
export const Edge = z.object({ from: Node, to: Node, relation: z.string() });
export type Edge = z.infer<typeof Edge>;

export const Lineage = z.object({
  of: Node,
  nodes: z.array(Node),
  edges: z.array(Edge),
  /** False when there is more than depth and limits let through. */
  isComplete: z.boolean(),
});
export type Lineage = z.infer<typeof Lineage>;

/** `<kind>/<id>`; the id may hold further slashes. */
const Thing = z
  .string()
  .max(400)
  .regex(/^[a-z][a-z_]{0,30}\/[\x21-\x7e]+$/, 'KIND/ID, such as model/late@1');

export const getLineage = route({
  id: 'lineage',
  method: 'GET',
  path: '/api/v1/lineage',
  summary: 'What a thing came from, and what came of it: nodes and edges',
  query: z.object({
    of: Thing,
    depth: z.coerce.number().int().min(1).max(DEPTH_MAX).default(DEPTH_DEFAULT),
  }),
  reply: Lineage,
});
