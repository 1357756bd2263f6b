import { EmptyState, Group, Select, Stack } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable } from '../../../web/kit/data-table.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoute, useRoutePages } from '../../../web/kit/use-route.ts';
import { listExperiments, listRuns, type Experiment, type RunSummary } from '../contract.ts';
import { chosenColumn, CompareLink, nextChosen } from './chosen-runs.tsx';
import { ColumnChoice } from './column-choice.tsx';
import { runColumns } from './run-columns.tsx';
import { RunSearchForm } from './run-search-form.tsx';
import {
  fieldOf,
  orderText,
  parseOrder,
  toFilter,
  usualColumns,
  valueColumns,
} from './run-search.ts';

const RUNS_A_PAGE = 100;
/** What running ones measure is no event. */
const POLL_MS = 5000;

/** Every tracked run: which ran, with what, and how well it did. */
export function RunsPage(): ReactNode {
  const { experiment, filter, order } = useSearch({ from: '/runs' });
  const navigate = useNavigate({ from: '/runs' });
  const experiments = useRoute(
    listExperiments,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['experiment', 'run'], pollMs: POLL_MS },
  );
  const wanted = toFilter(filter ?? '');
  const runs = useRoutePages(
    listRuns,
    {
      query: {
        limit: RUNS_A_PAGE,
        ...(experiment === undefined ? {} : { experiment: String(experiment) }),
        ...(wanted === undefined ? {} : { filter: wanted }),
        ...(order === undefined ? {} : { order }),
      },
    },
    { subjects: ['run'], pollMs: POLL_MS },
  );
  const isEverything = experiment === undefined && filter === undefined;
  return (
    <>
      <PageHeader title="Runs" about="What was trained, with what, and how well it did" />
      <Stack gap="md">
        {runs.items?.length === 0 && isEverything ? (
          <NoRuns />
        ) : (
          <Group gap="xs">
            <ExperimentSelect experiments={experiments.data?.items ?? []} />
            <RunSearchForm
              key={filter}
              filter={filter}
              search={(text) => void navigate({ search: (was) => ({ ...was, filter: text }) })}
            />
          </Group>
        )}
        <Loaded query={{ ...runs, data: runs.items }} height={400}>
          {(items) =>
            items.length > 0 ? (
              <RunsTable items={items} more={runs} experiments={experiments.data?.items ?? []} />
            ) : isEverything ? null : (
              <NoneFound />
            )
          }
        </Loaded>
      </Stack>
    </>
  );
}

function ExperimentSelect(props: { readonly experiments: readonly Experiment[] }): ReactNode {
  const { experiment } = useSearch({ from: '/runs' });
  const navigate = useNavigate({ from: '/runs' });
  return (
    <Select
      size="xs"
      w={220}
      aria-label="Experiment"
      placeholder="All experiments"
      clearable
      searchable
      data={props.experiments.map(({ id, name }) => ({ value: id, label: name }))}
      value={experiment === undefined ? null : String(experiment)}
      onChange={(value) =>
        void navigate({
          search: (was) => ({ ...was, experiment: value === null ? undefined : Number(value) }),
        })
      }
    />
  );
}

interface RunsTableProps {
  readonly items: readonly RunSummary[];
  readonly experiments: readonly Experiment[];
  readonly more: {
    readonly hasMore: boolean;
    readonly isLoadingMore: boolean;
    readonly loadMore: () => void;
  };
}

function RunsTable({ items, experiments, more }: RunsTableProps): ReactNode {
  const { experiment, order, columns: chosen, chosen: toCompare } = useSearch({ from: '/runs' });
  const navigate = useNavigate({ from: '/runs' });
  const all = useMemo(() => valueColumns(items), [items]);
  const shown = useMemo(
    () =>
      chosen === undefined
        ? usualColumns(items)
        : all.filter(({ kind, key }) => chosen.includes(fieldOf(kind, key))),
    [all, chosen, items],
  );
  const columns = useMemo(() => {
    const names = new Map(experiments.map(({ id, name }) => [id, name]));
    const choose = (id: string, isChosen: boolean): void => {
      void navigate({
        search: (was) => ({ ...was, chosen: nextChosen(was.chosen ?? [], id, isChosen) }),
        resetScroll: false,
      });
    };
    return [
      chosenColumn(toCompare, choose),
      ...runColumns(shown, experiment === undefined ? names : null),
    ];
  }, [shown, experiments, experiment, toCompare, navigate]);
  return (
    <Card label="Runs">
      <DataTable
        name="Runs"
        columns={columns}
        rows={items}
        rowId={({ id }) => id}
        minWidth={260 + 92 * columns.length}
        more={more}
        moreLabel="Read more"
        {...(order === undefined ? {} : { sortedBy: parseOrder(order) })}
        onSort={(by) =>
          void navigate({
            search: (was) => ({ ...was, order: by === null ? undefined : orderText(by) }),
            resetScroll: false,
          })
        }
        controls={
          <>
            <CompareLink chosen={toCompare ?? []} />
            <ColumnChoice
              all={all.map(({ kind, key }) => fieldOf(kind, key))}
              chosen={shown.map(({ kind, key }) => fieldOf(kind, key))}
              choose={(fields) =>
                void navigate({
                  search: (was) => ({ ...was, columns: [...fields] }),
                  resetScroll: false,
                })
              }
            />
          </>
        }
      />
    </Card>
  );
}

function NoneFound(): ReactNode {
  return (
    <Section title="Runs">
      <EmptyState
        icon={<IconFlask aria-hidden />}
        title="No run is like that"
        description="Change the search above, or clear it to see every run."
      />
    </Section>
  );
}

function NoRuns(): ReactNode {
  return (
    <Section title="Runs">
      <EmptyState
        icon={<IconFlask aria-hidden />}
        title="Nothing was tracked yet"
        description="Run a stage of dvc.yaml, which pins code, environment and data; or point any script that uses MLflow here, unchanged."
      >
        <Stack gap="xs">
          <CopyCode isBlock code="millwright run train" />
          <CopyCode isBlock code={`export MLFLOW_TRACKING_URI=${window.location.origin}`} />
        </Stack>
      </EmptyState>
    </Section>
  );
}
