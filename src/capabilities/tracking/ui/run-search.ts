import type { SortedBy } from '../../../web/kit/data-table.tsx';
import type { RunSummary } from '../contract.ts';

/** Something that compares: with none of these the text is a name to look for. */
const COMPARES = /[<>=!]|\bi?like\s*['"]|\bin\s*\(|\bis\s+(?:not\s+)?null\b/i;
/** Keys that MLflow's grammar takes as they are; others stand in backticks. */
const PLAIN_KEY = /^[\w./:-]+$/;

/** MLflow's filter for what was typed: a filter already, or a part of a run's name. */
export function toFilter(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (COMPARES.test(trimmed)) return trimmed;
  return `attributes.run_name ILIKE '%${trimmed.replaceAll("'", "''")}%'`;
}

/** A key as MLflow's searches name it: `metrics.auc`, `` params.`learning rate` ``. */
export function fieldOf(kind: 'metrics' | 'params', key: string): string {
  return PLAIN_KEY.test(key) ? `${kind}.${key}` : `${kind}.\`${key}\``;
}

/** `metrics.auc DESC` for a table's sort. */
export function orderText({ id, desc }: SortedBy): string {
  return `${id} ${desc ? 'DESC' : 'ASC'}`;
}

export function parseOrder(order: string): SortedBy {
  const [, id = order, direction = 'ASC'] = /^(.*?)(?:\s+(ASC|DESC))?$/i.exec(order.trim()) ?? [];
  return { id, desc: direction.toUpperCase() === 'DESC' };
}

export interface ValueColumn {
  readonly kind: 'metrics' | 'params';
  readonly key: string;
}

/** Columns shown unless the reader chooses: a screen's width of them. */
const METRICS_SHOWN = 3;
const PARAMS_SHOWN = 2;

/** Every metric and parameter of the runs, those that most runs have first. */
export function valueColumns(runs: readonly RunSummary[]): readonly ValueColumn[] {
  return [
    ...byUse(runs, ({ metrics }) => metrics).map((key) => ({ kind: 'metrics' as const, key })),
    ...byUse(runs, ({ params }) => params).map((key) => ({ kind: 'params' as const, key })),
  ];
}

/** What is worth a column: metrics most runs have, and parameters that tell runs apart. */
export function usualColumns(runs: readonly RunSummary[]): readonly ValueColumn[] {
  const all = valueColumns(runs);
  const metrics = all.filter(({ kind }) => kind === 'metrics');
  const params = all.filter(({ kind, key }) => {
    const values = runs.map((run) => valueOf(run, { kind, key })).filter((v) => v !== null);
    return kind === 'params' && (new Set(values).size > 1 || runs.length === 1);
  });
  return [...metrics.slice(0, METRICS_SHOWN), ...params.slice(0, PARAMS_SHOWN)];
}

/** Null where the run has no such value. */
export function valueOf(run: RunSummary, { kind, key }: ValueColumn): string | number | null {
  if (kind === 'params') return run.params.find((param) => param.key === key)?.value ?? null;
  const metric = run.metrics.find((one) => one.key === key);
  return metric === undefined ? null : (metric.value ?? Number.NaN);
}

function byUse(
  runs: readonly RunSummary[],
  values: (run: RunSummary) => readonly { readonly key: string }[],
): readonly string[] {
  const uses = new Map<string, number>();
  for (const { key } of runs.flatMap(values)) uses.set(key, (uses.get(key) ?? 0) + 1);
  return [...uses].sort(([a, n], [b, m]) => m - n || a.localeCompare(b)).map(([key]) => key);
}
