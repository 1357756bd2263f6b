import { Button, EmptyState, Group, Stack, Switch, Title } from '@mantine/core';
import { IconArrowsDiff } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCounted, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoutes } from '../../../web/kit/use-routes.ts';
import { getRun, type Run } from '../contract.ts';
import { ComparedCurvesSection } from './compared-curves-section.tsx';
import { runColor } from './compared-curves.ts';
import { madeOfRows, metricRows, paramRows, runNames, tagRows } from './compared-runs.ts';
import { ComparedTable } from './compared-table.tsx';
import { durationText, RunStatusBadge } from './run-status.tsx';

/** What a running one measures is no event. */
const POLL_MS = 10_000;
const NAME_SHOWN = 48;

/** Several runs side by side: what they were made of, and how they did. */
export function ComparePage(): ReactNode {
  const { runs: ids = [] } = useSearch({ from: '/runs/compare' });
  const runs = useRoutes(
    getRun,
    ids.map((run) => ({ params: { run } })),
    { subjects: ['run'], pollMs: POLL_MS },
  );
  return (
    <>
      <PageHeader
        title="Compare runs"
        about={
          <PageLink to="/runs" search={{ chosen: ids }}>
            Choose others
          </PageLink>
        }
      />
      {ids.length < 2 ? (
        <TooFew count={ids.length} />
      ) : (
        <Loaded query={runs} height={500}>
          {(data) => <Compared runs={data} />}
        </Loaded>
      )}
    </>
  );
}

function TooFew({ count }: { readonly count: number }): ReactNode {
  return (
    <Section title="Nothing to compare">
      <EmptyState
        icon={<IconArrowsDiff aria-hidden />}
        title={count === 0 ? 'No run is chosen' : 'Only one run is chosen'}
        description="Check the boxes before the names of two runs or more in the list of runs, then press Compare."
      >
        <PageLink to="/runs">To the list of runs</PageLink>
      </EmptyState>
    </Section>
  );
}

function Compared({ runs }: { readonly runs: readonly Run[] }): ReactNode {
  const { whole = false } = useSearch({ from: '/runs/compare' });
  const navigate = useNavigate({ from: '/runs/compare' });
  const names = useMemo(() => runNames(runs), [runs]);
  const shared = { names, isWhole: whole };
  return (
    <Stack gap="md">
      <RunsTable runs={runs} names={names} />
      <ComparedCurvesSection runs={runs} />
      <Switch
        label="Also what is the same in all of them"
        checked={whole}
        onChange={(event) =>
          void navigate({
            search: (was) => ({ ...was, whole: event.currentTarget.checked || undefined }),
            resetScroll: false,
          })
        }
      />
      <ComparedTable title="Metrics" what="Last value" rows={metricRows(runs)} {...shared} />
      <ComparedTable title="Parameters" what="Parameter" rows={paramRows(runs)} {...shared} />
      <ComparedTable title="Made of" what="Pinned" rows={madeOfRows(runs)} {...shared} />
      <ComparedTable title="Tags" what="Tag" rows={tagRows(runs)} {...shared} />
    </Stack>
  );
}

interface ComparedRun {
  readonly run: Run;
  readonly name: string;
  readonly at: number;
}

function RunsTable(props: {
  readonly runs: readonly Run[];
  readonly names: readonly string[];
}): ReactNode {
  const { runs, names } = props;
  const rows = useMemo(() => runs.map((run, at) => ({ run, name: names[at]!, at })), [runs, names]);
  return (
    <Card label="Runs compared">
      <DataTable
        name="Runs compared"
        heading={<Title order={2}>{formatCounted(runs.length, 'run')}</Title>}
        columns={COLUMNS}
        rows={rows}
        rowId={({ run }) => run.id}
        minWidth={680}
      />
    </Card>
  );
}

const COLUMNS: readonly Column<ComparedRun>[] = [
  {
    id: 'run',
    header: 'Run',
    value: ({ name }) => name,
    cell: ({ run, name, at }) => (
      <Group gap={8} wrap="nowrap">
        <span
          aria-hidden
          style={{ flex: '0 0 10px', height: 10, borderRadius: 3, background: runColor(at) }}
        />
        <PageLink to="/runs/$runId" params={{ runId: run.id }} title={`${name} (${run.id})`}>
          {formatShort(name, NAME_SHOWN)}
        </PageLink>
      </Group>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    value: ({ run }) => run.status.toLowerCase(),
    cell: ({ run }) => <RunStatusBadge status={run.status} />,
  },
  {
    id: 'started',
    header: 'Started (wall clock)',
    value: ({ run }) => run.startedAt,
    cell: ({ run }) => <Instant value={run.startedAt} clock="wall" />,
  },
  { id: 'took', header: 'Took', value: ({ run }) => durationText(run) },
  { id: 'by', header: 'By', value: ({ run }) => run.user },
  {
    id: 'leave',
    header: 'Compare',
    canSort: false,
    isControl: true,
    value: () => null,
    cell: ({ run, name }) => <LeaveOut id={run.id} name={name} />,
  },
];

function LeaveOut({ id, name }: { readonly id: string; readonly name: string }): ReactNode {
  const navigate = useNavigate({ from: '/runs/compare' });
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      aria-label={`Leave out ${name}`}
      onClick={() =>
        void navigate({
          search: (was) => ({ ...was, runs: was.runs?.filter((run) => run !== id) }),
          resetScroll: false,
        })
      }
    >
      Leave out
    </Button>
  );
}
