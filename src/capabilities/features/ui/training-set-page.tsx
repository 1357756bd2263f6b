import { EmptyState, Stack, Title } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { z } from 'zod';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatDigest, formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoute, useRoutePages } from '../../../web/kit/use-route.ts';
import { getTrainingSet, listTrainingVersions } from '../contract.ts';
import type { TrainingSet, TrainingVersionItem } from '../contract.ts';
import { leftOutTotal } from './left-out.ts';

type Item = z.infer<typeof TrainingVersionItem>;

const VERSIONS_A_PAGE = 100;

const COLUMNS: readonly Column<Item>[] = [
  {
    id: 'version',
    header: 'Version',
    value: ({ version }) => version,
    cell: ({ name, version }) => (
      <PageLink
        to="/features/training-sets/$name/versions/$version"
        params={{ name, version: String(version) }}
      >
        {`v${version}`}
      </PageLink>
    ),
  },
  { id: 'rows', header: 'Rows', isNumeric: true, value: ({ rows }) => rows },
  {
    id: 'leftOut',
    header: 'Left out',
    isNumeric: true,
    value: ({ leftOut }) => leftOutTotal(leftOut),
  },
  {
    id: 'labelRate',
    header: 'Mean label',
    isNumeric: true,
    value: ({ labelRate }) => labelRate,
    cell: ({ labelRate }) => formatValue(labelRate),
  },
  {
    id: 'from',
    header: 'From (domain clock)',
    value: ({ range }) => range.from,
    cell: ({ range }) => <Instant value={range.from} clock="domain" />,
  },
  {
    id: 'until',
    header: 'Until before',
    value: ({ range }) => range.until,
    cell: ({ range }) => <Instant value={range.until} clock="domain" />,
  },
  {
    id: 'definition',
    header: 'Definition',
    value: ({ definitionHash }) => definitionHash,
    cell: ({ definitionHash }) => (
      <code title={definitionHash}>{formatDigest(definitionHash)}</code>
    ),
  },
  {
    id: 'created',
    header: 'Built (wall clock)',
    value: ({ createdWall }) => createdWall,
    cell: ({ createdWall }) => <Instant value={createdWall} clock="wall" />,
  },
];

/** A declared training set, and every version that was built of it. */
export function TrainingSetPage(): ReactNode {
  const { name } = useParams({ from: '/features/training-sets/$name' });
  const subjects = ['features', `training-set/${name}`];
  const set = useRoute(getTrainingSet, { params: { name } }, { subjects });
  const versions = useRoutePages(
    listTrainingVersions,
    { params: { name }, query: { limit: VERSIONS_A_PAGE } },
    { subjects },
  );
  return (
    <>
      <PageHeader title={name} about={<PageLink to="/features">Features</PageLink>} />
      <Stack gap="md">
        <Loaded query={set} height={140}>
          {(data) => <AboutSection set={data} />}
        </Loaded>
        <Loaded query={{ ...versions, data: versions.items }} height={200}>
          {(items) =>
            items.length === 0 ? (
              <NotBuilt name={name} />
            ) : (
              <Card label="Versions">
                <DataTable
                  name={`Versions of ${name}`}
                  heading={<Title order={2}>Versions</Title>}
                  columns={COLUMNS}
                  rows={items}
                  rowId={({ version }) => String(version)}
                  minWidth={900}
                  more={versions}
                />
              </Card>
            )
          }
        </Loaded>
      </Stack>
    </>
  );
}

function AboutSection({ set }: { readonly set: TrainingSet }): ReactNode {
  const { service, hash, appliedAt, appliedBy, latestVersion } = set;
  return (
    <Section title="Training set">
      <Facts
        facts={[
          [
            'Service',
            <PageLink key="service" to="/features/services/$service" params={{ service }}>
              {service}
            </PageLink>,
          ],
          ['Latest', latestVersion === null ? 'none yet' : `v${formatCount(latestVersion)}`],
          ['Hash', <CopyCode key="hash" code={hash} shown={formatDigest(hash)} />],
          ['Since', <Instant key="since" value={appliedAt} clock="wall" withClock />],
          ['By', appliedBy],
        ]}
      />
    </Section>
  );
}

function NotBuilt({ name }: { readonly name: string }): ReactNode {
  return (
    <Section title="Versions">
      <EmptyState
        icon={<IconTable aria-hidden />}
        title="It was never built"
        description="A build computes the vector of every row at its own time, and pins what it read."
      >
        <CopyCode isBlock code={`millwright features train-set ${name}`} />
      </EmptyState>
    </Section>
  );
}
