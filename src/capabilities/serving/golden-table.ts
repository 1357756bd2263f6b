import { z } from 'zod';

/**
 * Requests with the answers of the training side, as `mlflow.log_table(data, "golden.json")` writes
 * them: pandas' split form. Columns are `id`, `time`, the features by name and `prediction`.
 */
const Split = z.object({
  columns: z.array(z.string()).min(1),
  data: z.array(z.array(z.unknown())),
});

/** Rows that are run: enough to see a rare branch of a tree, few enough to take a moment. */
const ROWS_MAX = 1000;
const PREDICTION = 'prediction';

export interface GoldenTable {
  /** In the order of the service; null is missing. */
  readonly vectors: readonly { readonly values: readonly (number | null)[] }[];
  readonly predictions: readonly number[];
  /** Rows there are, of which at most a thousand are taken. */
  readonly rows: number;
}

/** The table, or what is wrong with it. */
export function readGolden(value: unknown, features: readonly string[]): GoldenTable | string {
  const parsed = Split.safeParse(value);
  if (!parsed.success) return 'golden.json is no table with columns and data';
  const { columns, data } = parsed.data;
  const missing = [...features, PREDICTION].filter((name) => !columns.includes(name));
  if (missing.length > 0) return `golden.json has no column ${missing.slice(0, 5).join(', ')}`;
  const places = features.map((name) => columns.indexOf(name));
  const answer = columns.indexOf(PREDICTION);
  const rows = data.slice(0, ROWS_MAX);
  for (const [index, row] of rows.entries()) {
    const isVector = places.every((place) => row[place] === null || isNumber(row[place]));
    if (isVector && isNumber(row[answer])) continue;
    return `golden.json, row ${index + 1}: features are numbers or null, predictions numbers`;
  }
  return {
    vectors: rows.map((row) => ({ values: places.map((place) => row[place] as number | null) })),
    predictions: rows.map((row) => row[answer] as number),
    rows: data.length,
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
