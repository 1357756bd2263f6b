import { EmptyState, Stack } from '@mantine/core';
import { IconArrowIteration } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listPipelineRuns, type PipelineRunSummary } from '../contract.ts';
import { StateBadge, tookText } from './pipeline-state.tsx';

const RUNS_A_PAGE = 100;
const ID_SHOWN = 16;

const COLUMNS: readonly Column<PipelineRunSummary>[] = [
  {
    id: 'id',
    header: 'Run',
    value: ({ id }) => id,
    cell: ({ id }) => (
      <PageLink to="/pipelines/$run" params={{ run: id }} title={id} ff="monospace">
        {formatShort(id, ID_SHOWN)}
      </PageLink>
    ),
  },
  {
    id: 'state',
    header: 'State',
    value: ({ state }) => state,
    cell: ({ state }) => <StateBadge state={state} />,
  },
  { id: 'targets', header: 'Stages wanted', value: targetsText },
  {
    id: 'created',
    header: 'Asked for (wall clock)',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <Instant value={createdAt} clock="wall" />,
  },
  { id: 'took', header: 'Took', value: (run) => tookText(run.startedAt, run.finishedAt) },
  { id: 'actor', header: 'By', value: ({ actor }) => actor },
  {
    id: 'folder',
    header: 'Project',
    value: ({ folder }) => folder,
    cell: ({ folder }) => <span title={folder}>{folder.split('/').at(-1)}</span>,
  },
  {
    id: 'error',
    header: 'What went wrong',
    value: ({ error }) => error?.message ?? null,
    cell: ({ error }) => (error === null ? null : formatShort(error.message, 60)),
  },
];

export function targetsText({ targets, force }: PipelineRunSummary): string {
  const wanted = targets.length === 0 ? 'all' : targets.join(', ');
  return force ? `${wanted}, changed or not` : wanted;
}

/** Every run of the stages of a `dvc.yaml`. */
export function PipelinesPage(): ReactNode {
  const runs = useRoutePages(
    listPipelineRuns,
    { query: { limit: RUNS_A_PAGE } },
    { subjects: ['pipeline/'] },
  );
  return (
    <>
      <PageHeader title="Pipelines" about="Runs of the stages of dvc.yaml" />
      <Loaded query={{ ...runs, data: runs.items }} height={300}>
        {(items) =>
          items.length === 0 ? (
            <NoRuns />
          ) : (
            <Card label="Pipeline runs">
              <DataTable
                name="Pipeline runs"
                columns={COLUMNS}
                rows={items}
                rowId={({ id }) => id}
                minWidth={900}
                canFilter
                more={runs}
              />
            </Card>
          )
        }
      </Loaded>
    </>
  );
}

function NoRuns(): ReactNode {
  return (
    <Section title="Pipeline runs">
      <EmptyState
        icon={<IconArrowIteration aria-hidden />}
        title="No stage was run yet"
        description="In a folder with a dvc.yaml: see what would run and why, then run it. A stage runs only when something that it depends on changed."
      >
        <Stack gap="xs">
          <CopyCode isBlock code="millwright run --dry" />
          <CopyCode isBlock code="millwright run" />
        </Stack>
      </EmptyState>
    </Section>
  );
}
