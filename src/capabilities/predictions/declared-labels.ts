import type { TableRef } from '../tables/delta-tables.ts';

/** A table whose rows say what came of an endpoint's requests. Plain data: the engine gets it. */
export interface DeclaredLabel {
  readonly name: string;
  readonly endpoint: string;
  readonly table: TableRef;
  /** Holds the endpoint's business key. */
  readonly idColumn: string;
  /** When the outcome occurred. */
  readonly timeColumn: string;
  readonly valueColumn: string;
  /** After this time from a request on its outcome is taken to be known, or never to come. */
  readonly matureMicros: number;
}

/** The labels that are declared now, each with the endpoint that it belongs to. */
export interface DeclaredLabels {
  labels(): Promise<readonly DeclaredLabel[]>;
}

/**
 * Which label an endpoint's requests get: the one that matches by its business key; of several the
 * one named as the endpoint. `ambiguous` when none is: then which one is meant has to be said.
 */
export function labelOf<Label extends { readonly name: string; readonly match: string }>(
  endpoint: { readonly name: string; readonly key: string | null },
  labels: readonly Label[],
): Label | 'ambiguous' | null {
  const matching = labels.filter(({ match }) => match === endpoint.key);
  if (matching.length <= 1) return matching[0] ?? null;
  return matching.find(({ name }) => name === endpoint.name) ?? 'ambiguous';
}
