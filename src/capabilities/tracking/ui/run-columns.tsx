import type { ReactNode } from 'react';
import type { Column } from '../../../web/kit/data-table.tsx';
import { formatShort, formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import type { RunSummary } from '../contract.ts';
import { fieldOf, valueOf, type ValueColumn } from './run-search.ts';
import { durationText, RunStatusBadge } from './run-status.tsx';

/** A name made up by a client fits; longer ones are somebody's own. */
const NAME_SHOWN = 32;
const PARAM_SHOWN = 16;

/** The columns of the list of runs; ids are what MLflow's searches order by. */
export function runColumns(
  values: readonly ValueColumn[],
  /** Names by number; null when the runs are all of one experiment. */
  experiments: ReadonlyMap<string, string> | null,
): readonly Column<RunSummary>[] {
  return [
    {
      id: 'attributes.run_name',
      header: 'Run',
      value: ({ name, id }) => (name === '' ? id : name),
      cell: (run) => <RunName run={run} />,
    },
    {
      id: 'attributes.status',
      header: 'Status',
      value: ({ status }) => status.toLowerCase(),
      // Only what is not as hoped gets a badge: a column of green ones hides the red one.
      cell: ({ status }) =>
        status === 'FINISHED' ? 'finished' : <RunStatusBadge status={status} />,
    },
    ...values.map(valueColumn),
    {
      id: 'attributes.start_time',
      header: 'Started (wall clock)',
      value: ({ startedAt }) => startedAt,
      cell: ({ startedAt }) => <Instant value={startedAt} clock="wall" />,
    },
    {
      id: 'duration',
      header: 'Took',
      isNumeric: true,
      canSort: false,
      value: (run) => durationText(run),
    },
    ...(experiments === null ? [] : [experimentColumn(experiments)]),
    { id: 'attributes.user_id', header: 'By', value: ({ user }) => user },
  ];
}

function RunName({ run }: { readonly run: RunSummary }): ReactNode {
  const name = run.name === '' ? run.id : run.name;
  return (
    <PageLink to="/runs/$runId" params={{ runId: run.id }} title={`${name} (${run.id})`}>
      {formatShort(name, NAME_SHOWN)}
    </PageLink>
  );
}

function valueColumn(column: ValueColumn): Column<RunSummary> {
  const { kind, key } = column;
  return {
    id: fieldOf(kind, key),
    header: key,
    isNumeric: kind === 'metrics',
    value: (run) => valueOf(run, column),
    cell: (run) => {
      const value = valueOf(run, column);
      if (value === null) return null;
      if (typeof value === 'number') return formatValue(Number.isNaN(value) ? null : value);
      return <span title={value}>{formatShort(value, PARAM_SHOWN)}</span>;
    },
  };
}

function experimentColumn(names: ReadonlyMap<string, string>): Column<RunSummary> {
  const nameOf = (id: string): string => names.get(id) ?? `experiment ${id}`;
  return {
    id: 'attributes.experiment_id',
    header: 'Experiment',
    value: ({ experiment }) => nameOf(experiment),
    cell: ({ experiment }) => (
      <span title={nameOf(experiment)}>{formatShort(nameOf(experiment), NAME_SHOWN)}</span>
    ),
  };
}
