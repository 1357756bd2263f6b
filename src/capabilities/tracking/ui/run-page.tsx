import { Group, SimpleGrid, Stack } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { LineageChain } from '../../../web/kit/lineage-chain.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { getRun, listExperiments, type Run } from '../contract.ts';
import { ArtifactsSection } from './artifacts-section.tsx';
import { KeyValuesSection } from './key-values-section.tsx';
import { MadeOfSection } from './made-of-section.tsx';
import { MetricsSection } from './metrics-section.tsx';
import { durationText, RunStatusBadge } from './run-status.tsx';
import { UsesSection } from './uses-section.tsx';

/** What a running one measures is no event. */
const POLL_MS = 5000;

/** One run: what it was made of, what it measured, what it wrote. */
export function RunPage(): ReactNode {
  const { runId } = useParams({ from: '/runs/$runId' });
  const run = useRoute(
    getRun,
    { params: { run: runId } },
    { subjects: ['run', 'model'], pollMs: POLL_MS },
  );
  const name = run.data?.name ?? '';
  return (
    <>
      <PageHeader
        title={name === '' ? 'Run' : name}
        about={<CopyCode code={runId} />}
        children={run.data === undefined ? null : <RunStatusBadge status={run.data.status} />}
      />
      <Loaded query={run} height={400}>
        {(data) => <RunSections run={data} />}
      </Loaded>
    </>
  );
}

function RunSections({ run }: { readonly run: Run }): ReactNode {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <AboutSection run={run} />
        <MadeOfSection pins={run.pins} />
      </SimpleGrid>
      <Section title="Lineage">
        <LineageChain of={`run/${run.id}`} />
      </Section>
      <MetricsSection run={run} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <KeyValuesSection
          title="Parameters"
          pairs={run.params}
          empty="The script logged no parameter."
        />
        <KeyValuesSection title="Tags" pairs={run.tags} empty="There is no tag." />
      </SimpleGrid>
      <ArtifactsSection run={run} />
      <UsesSection run={run} />
    </Stack>
  );
}

function AboutSection({ run }: { readonly run: Run }): ReactNode {
  const { experiment, user, startedAt, endedAt, artifactUri } = run;
  const experiments = useRoute(
    listExperiments,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['experiment'] },
  );
  const named = experiments.data?.items.find(({ id }) => id === experiment);
  return (
    <Section title="Run">
      <Facts
        facts={[
          [
            'Experiment',
            <PageLink key="runs" to="/runs" search={{ experiment: Number(experiment) }}>
              {named?.name ?? `number ${experiment}`}
            </PageLink>,
          ],
          ['By', user === '' ? null : user],
          ['Started', <Instant key="start" value={startedAt} clock="wall" withClock />],
          [
            'Ended',
            endedAt === null ? (
              'not yet'
            ) : (
              <Instant key="end" value={endedAt} clock="wall" withClock />
            ),
          ],
          ['Took', durationText(run)],
          ['Registered', <Registered key="versions" run={run} />],
          ['Artifacts', <CopyCode key="uri" code={artifactUri} />],
        ]}
      />
    </Section>
  );
}

function Registered({ run }: { readonly run: Run }): ReactNode {
  if (run.registeredVersions.length === 0) return 'as no model version';
  return (
    <Group gap="xs">
      {run.registeredVersions.map(({ model, version }) => (
        <PageLink
          key={`${model} ${version}`}
          to="/models/$model/versions/$version"
          params={{ model, version: String(version) }}
        >
          {`${model} v${version}`}
        </PageLink>
      ))}
    </Group>
  );
}
