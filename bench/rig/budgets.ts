import { present } from '../../src/base/assert.ts';
import { round } from './quantile.ts';
import type { Budget } from './result.ts';

/** A limit, and where its measurement is found; a null program: what it is about is not built. */
export interface BudgetRow {
  readonly program: string | null;
  /** As the program's result spells it. */
  readonly what: string;
  /** A comparison and a number; a unit may follow. */
  readonly limit: string;
}

/** All limits, in the order of the table in README. */
export const BUDGETS: readonly BudgetRow[] = [
  ...rows('gateway', {
    "Millwright gateway, no log: requests/s as times MLServer's": '>= 4',
    'Millwright gateway, no log: CPU us a request': '<= 60',
    "Millwright, full log, 10 % canary by sticky key: requests/s as times MLServer's": '>= 3',
    'Millwright, full log, 10 % canary by sticky key: CPU us a request': '<= 90',
  }),
  ...rows('joined-features', {
    'Millwright, full log, 24 windowed features joined: CPU us a request': '<= 250',
  }),
  ...rows('online-vectors', {
    'online features of 1 entity x 50, over HTTP: p99 ms': '<= 1.5',
    'online features of 100 entities x 50, in process: p99 ms': '<= 5',
    'online features of 100 entities x 250, in process: p99 ms': '<= 20',
    "online features of 1 entity x 50, over HTTP: p99 of Feast's Python server as times ours":
      '>= 10',
    'online features of 100 entities x 50, in process: p99 of Feast as times ours': '>= 10',
    'online features of 100 entities x 250, in process: p99 of Feast as times ours': '>= 10',
  }),
  ...rows('training-set-large', {
    'training set of 1 M rows from 10 M events, 4 windows x 3 aggregates: s': '< 20',
    'training set of 1 M rows from 10 M events, 4 windows x 3 aggregates: GB at most': '< 4',
  }),
  ...rows('training-set', {
    'training set of 31 January to 27 February, built in the engine': '< 5 s',
  }),
  ...rows('online-features', {
    'feature events into the online store through 3 views, filled: events/s': '>= 60000',
    'feature events into the online store through 3 views, followed: events/s': '>= 60000',
    'a vector of 39 online features, in process: p99 us': '<= 1500',
  }),
  ...rows(null, {
    "latest-value point-in-time join, 1 M x 17 k: as times Feast's default store": '>= 20',
  }),
  ...rows('tracking', {
    "log-batch of 1,000 metrics: batches/s as times MLflow's server": '>= 10',
  }),
  ...rows('search', {
    'search over 100,000 runs with filter and order: ms': '< 50',
    "search over 100,000 runs with filter and order: time of MLflow's server as times ours":
      '>= 50',
  }),
  ...rows('delta-append', {
    "append of 10 M rows x 4 columns to a Delta table: time as times DuckDB's COPY": '<= 1.3',
  }),
  ...rows('delta-open', { 'opening a Delta log of 300,000 files: s': '< 1.5' }),
  ...rows('drift', {
    'drift of 50 columns from a table of 1 M logged requests: s': '< 1',
    'drift of 50 columns from kept summaries: ms': '< 20',
  }),
  ...rows(null, {
    'data add, checkout and status of 25,000 files: as times DVC': '>= 5',
  }),
  ...rows('recovery', { 'from a start after kill -9 to the first answer: s': '< 2' }),
  ...rows('pipelines', { 'pipeline step, over the shell’s own start, p95: ms': '< 100' }),
  ...rows('start', {
    'millwright up to ready, built: ms': '< 1000',
    'memory at rest, both processes, built: PSS MB': '< 250',
    'millwright up to ready, source: ms': '< 1000',
    'memory at rest, both processes, source: PSS MB': '< 250',
  }),
  ...rows('interference', {
    'gateway p99 under work as times its p99 at rest': '<= 2',
    'event-loop delay p99 of main under work: ms': '< 10',
  }),
];

/** The measurement beside its limit, which stands in `BUDGETS`. */
export function budgetOf(what: string, measured: number, decimals: number): Budget {
  const { limit } = present(
    BUDGETS.find((row) => row.what === what),
    `the budget "${what}"`,
  );
  const [comparison, number] = limit.split(' ') as [string, string];
  const bound = Number(number);
  const isMet =
    comparison === '>='
      ? measured >= bound
      : comparison === '<='
        ? measured <= bound
        : measured < bound;
  return { what, limit, measured: String(round(measured, decimals)), isMet };
}

function rows(
  program: string | null,
  limits: Readonly<Record<string, string>>,
): readonly BudgetRow[] {
  return Object.entries(limits).map(([what, limit]) => ({ program, what, limit }));
}
