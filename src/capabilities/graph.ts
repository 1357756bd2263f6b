/**
 * Which capability may use which other's contract and service type. Acyclic; checked by
 * test/tidy.test.ts, drawn in ARCHITECTURE.md.
 */
export const graph: Readonly<Record<string, readonly string[]>> = {
  workspace: [],
  tables: [],
  sql: ['tables'],
  tracking: ['tables'],
  registry: ['tracking'],
  predictions: ['tables'],
  features: ['tables', 'predictions'],
  pipelines: [],
  lineage: [],
  monitoring: ['tables', 'predictions', 'registry'],
  serving: ['registry', 'predictions'],
  loop: [],
  maturity: [],
  auth: [],
};
