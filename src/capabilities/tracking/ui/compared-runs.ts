import type { Run } from '../contract.ts';

/** Runs side by side: as many as can be told apart by colour. */
export const COMPARED_MAX = 8;

/** One property of several runs, in their order. */
export interface ComparedRow {
  readonly key: string;
  /** Null where a run has no such value. */
  readonly values: readonly (string | number | null)[];
  /** Whether any run differs from the first. */
  readonly isDifferent: boolean;
}

/** Rows of every key that any of the runs has, in the order of the keys. */
function rowsOf(
  runs: readonly Run[],
  pairs: (run: Run) => readonly (readonly [key: string, value: string | number])[],
): readonly ComparedRow[] {
  const maps = runs.map((run) => new Map(pairs(run)));
  const keys = new Set(maps.flatMap((map) => [...map.keys()]));
  return [...keys]
    .toSorted((a, b) => a.localeCompare(b))
    .map((key) =>
      rowOf(
        key,
        maps.map((map) => map.get(key) ?? null),
      ),
    );
}

function rowOf(key: string, values: ComparedRow['values']): ComparedRow {
  return { key, values, isDifferent: values.some((value) => !Object.is(value, values[0])) };
}

export function paramRows(runs: readonly Run[]): readonly ComparedRow[] {
  return rowsOf(runs, ({ params }) => params.map(({ key, value }) => [key, value]));
}

/** Last values; NaN is a value, and no value is none. */
export function metricRows(runs: readonly Run[]): readonly ComparedRow[] {
  return rowsOf(runs, ({ metrics }) => metrics.map(({ key, value }) => [key, value ?? Number.NaN]));
}

const PINNED = 'millwright.';

/** Without those that say what the run was made of: they are rows of their own. */
export function tagRows(runs: readonly Run[]): readonly ComparedRow[] {
  return rowsOf(runs, ({ tags }) =>
    tags.filter(({ key }) => !key.startsWith(PINNED)).map(({ key, value }) => [key, value]),
  );
}

/** Code, environment, command and data, as the runs were pinned; none where nothing is. */
export function madeOfRows(runs: readonly Run[]): readonly ComparedRow[] {
  const of = (key: string, value: (run: Run) => string | null | undefined): ComparedRow =>
    rowOf(
      key,
      runs.map((run) => value(run) ?? null),
    );
  const tables = new Set(runs.flatMap(({ pins }) => pins?.tables.map(({ table }) => table) ?? []));
  const rows = [
    of('Command', ({ pins }) => pins?.command),
    of('Code tree', ({ pins }) => pins?.codeTree),
    of('Commit', ({ pins }) => pins?.codeCommit),
    of('Environment', ({ pins }) => pins?.environment),
    of('Training set', ({ pins }) => setText(pins?.trainingSet ?? null)),
    of('Features', ({ pins }) => pins?.definition),
    ...[...tables].toSorted().map((name) =>
      of(`Table ${name}`, ({ pins }) => {
        const found = pins?.tables.find(({ table }) => table === name);
        return found === undefined ? null : `version ${found.version}`;
      }),
    ),
    ...inputRows(runs),
  ];
  return rows.filter(({ values }) => values.some((value) => value !== null));
}

function setText(set: { readonly name: string; readonly version: number } | null): string | null {
  return set === null ? null : `${set.name}@v${set.version}`;
}

/** Data sets that the scripts named, by their digest. */
function inputRows(runs: readonly Run[]): readonly ComparedRow[] {
  return rowsOf(runs, ({ inputs }) =>
    inputs.map(({ name, digest }) => [`Data set ${name}`, digest] as const),
  );
}

/** The names of the runs, each once: those that several have carry the run's first digits. */
export function runNames(runs: readonly Run[]): readonly string[] {
  const names = runs.map(({ name, id }) => (name === '' ? id : name));
  return runs.map(({ id }, at) => {
    const name = names[at]!;
    const isShared = names.filter((other) => other === name).length > 1;
    return isShared ? `${name} (${id.replace('run_', '').slice(-6)})` : name;
  });
}
