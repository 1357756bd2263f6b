import { invalid } from '../../formats/mlflow/names.ts';

/** Experiments of one search: all that a large team has, in a text of some 100 kB. */
export const SEARCH_EXPERIMENTS_MAX = 10_000;

/** Refuses what a database would refuse as a statement too long, which clients would retry. */
export function checkSearchLength(field: string, list: readonly unknown[], max: number): void {
  if (list.length > max) throw invalid(`A search takes at most ${max} ${field}.`);
}
