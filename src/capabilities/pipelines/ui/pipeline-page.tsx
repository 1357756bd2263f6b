import { Alert, Button, Stack, Title } from '@mantine/core';
import { useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useChange } from '../../../web/kit/use-change.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import {
  cancelPipelineRun,
  getPipelineRun,
  type PipelineRun,
  type PipelineStep,
} from '../contract.ts';
import { isUnderWay, StateBadge, tookText } from './pipeline-state.tsx';
import { targetsText } from './pipelines-page.tsx';
import { StageSection } from './stage-section.tsx';

/** What stages write is no event. */
const POLL_MS = 2000;

/** One run: which stages ran, which did not, and why. */
export function PipelinePage(): ReactNode {
  const { run } = useParams({ from: '/pipelines/$run' });
  const found = useRoute(
    getPipelineRun,
    { params: { run } },
    { subjects: [`pipeline/${run}`], pollMs: POLL_MS },
  );
  return (
    <>
      <PageHeader
        title="Pipeline run"
        about={<PageLink to="/pipelines">All pipeline runs</PageLink>}
        children={found.data === undefined ? null : <Cancel run={found.data} />}
      />
      <Loaded query={found} height={400}>
        {(data) => <RunOf run={data} />}
      </Loaded>
    </>
  );
}

function Cancel({ run: { id, state } }: { readonly run: PipelineRun }): ReactNode {
  const cancel = useChange(cancelPipelineRun);
  if (!isUnderWay(state)) return null;
  return (
    <Stack gap="xs">
      <Button
        size="xs"
        variant="light"
        color="red"
        title="Ends the process of its stage"
        loading={cancel.isPending}
        onClick={() => {
          cancel.mutate({ params: { run: id } });
        }}
      >
        Cancel the run
      </Button>
      {cancel.error !== null && <ErrorState error={cancel.error} />}
    </Stack>
  );
}

function RunOf({ run }: { readonly run: PipelineRun }): ReactNode {
  const { stage } = useSearch({ from: '/pipelines/$run' });
  const shown =
    run.steps.find((step) => step.stage === stage) ??
    run.steps.find(({ state }) => state === 'failed' || state === 'running');
  return (
    <Stack gap="md">
      {run.error !== null && (
        <Alert color="red" title={run.error.message}>
          {run.error.hint}
        </Alert>
      )}
      <About run={run} />
      <Card label="Stages">
        <DataTable
          name="Stages"
          heading={<Title order={2}>Stages, in the order they run</Title>}
          columns={COLUMNS}
          rows={run.steps}
          rowId={({ stage: name }) => name}
          minWidth={760}
          canFilter={run.steps.length > 10}
        />
      </Card>
      {shown !== undefined && <StageSection key={shown.stage} run={run} step={shown} />}
    </Stack>
  );
}

function About({ run }: { readonly run: PipelineRun }): ReactNode {
  const { id, folder, actor, createdAt, startedAt, finishedAt, environment } = run;
  const { trainUntil, waitsFor, activity } = run;
  const filter = `tags.\`millwright.pipeline_run\` = '${id}'`;
  return (
    <Section title="Run" aside={<StateBadge state={run.state} />}>
      <Facts
        facts={[
          ['Id', <CopyCode key="id" code={id} />],
          ['Stages wanted', targetsText(run)],
          ['Project', <CopyCode key="folder" code={folder} />],
          ['By', actor],
          ['Asked for', <Instant key="created" value={createdAt} clock="wall" withClock />],
          [
            'Began',
            startedAt === null ? null : (
              <Instant key="started" value={startedAt} clock="wall" withClock />
            ),
          ],
          ['Took', tookText(startedAt, finishedAt)],
          [
            'Rows until',
            trainUntil === null ? null : (
              <Instant key="until" value={trainUntil} clock="domain" withClock />
            ),
          ],
          [
            'Environment',
            environment === null ? null : (
              <CopyCode key="environment" code={environment} shown={formatDigest(environment)} />
            ),
          ],
          [
            'Waits for',
            waitsFor === null ? null : (
              <PageLink key="waits" to="/pipelines/$run" params={{ run: waitsFor }}>
                {waitsFor}
              </PageLink>
            ),
          ],
          ['Now', activity],
          [
            'Tracked runs',
            <PageLink key="runs" to="/runs" search={{ filter }}>
              those that its stages made
            </PageLink>,
          ],
        ]}
      />
    </Section>
  );
}

/** As long as the attempts took from first to last. */
function stepTook({ attempts }: PipelineStep): string | null {
  return tookText(attempts[0]?.startedAt ?? null, attempts.at(-1)?.endedAt ?? null);
}

const COLUMNS: readonly Column<PipelineStep>[] = [
  {
    id: 'stage',
    header: 'Stage',
    canSort: false,
    value: ({ stage }) => stage,
    cell: ({ stage }) => (
      <PageLink
        to="/pipelines/$run"
        from="/pipelines/$run"
        search={(was) => ({ ...was, stage })}
        resetScroll={false}
        fw={500}
      >
        {stage}
      </PageLink>
    ),
  },
  {
    id: 'state',
    header: 'State',
    canSort: false,
    value: ({ state }) => state,
    cell: ({ state }) => <StateBadge state={state} />,
  },
  {
    id: 'why',
    header: 'Why',
    canSort: false,
    value: whyText,
    cell: (step) => (
      <div style={{ minWidth: 260, whiteSpace: 'normal', overflowWrap: 'anywhere' }}>
        {whyText(step)}
      </div>
    ),
  },
  { id: 'took', header: 'Took', canSort: false, value: stepTook },
  {
    id: 'attempts',
    header: 'Attempts',
    isNumeric: true,
    canSort: false,
    value: ({ attempts }) => attempts.length,
  },
  {
    id: 'outputs',
    header: 'Outputs',
    isNumeric: true,
    canSort: false,
    value: ({ outputs }) => outputs.length,
    cell: ({ outputs }) => formatCount(outputs.length),
  },
];

/** Why it ran, or why it did not. */
export function whyText({ state, reasons, error }: PipelineStep): string {
  if (error !== null) return error.message;
  if (reasons.length > 0) return reasons.join('; ');
  if (state === 'cached') return 'nothing that it depends on changed';
  if (state === 'restored') return 'done before with the same: its outputs were put back';
  if (state === 'skipped') return 'the run ended before it';
  return '';
}
