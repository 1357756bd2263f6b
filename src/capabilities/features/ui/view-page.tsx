import { SimpleGrid, Stack, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatDigest } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getView, type View } from '../contract.ts';
import { DeclaredSection } from './declared-section.tsx';
import { aggregatesOf, type Aggregate } from './expressions.ts';

const COLUMNS: readonly Column<Aggregate>[] = [
  { id: 'name', header: 'Feature', value: ({ name }) => name },
  { id: 'function', header: 'Function', value: (one) => one.function },
  {
    id: 'of',
    header: 'Of',
    value: ({ of }) => of,
    cell: ({ of }) => (of === null ? 'events' : <code>{of}</code>),
  },
];

/** One view: which events, by which key, aggregated how, over which windows. */
export function ViewPage(): ReactNode {
  const { view } = useParams({ from: '/features/views/$view' });
  const found = useRoute(getView, { params: { view } }, { subjects: ['features'] });
  return (
    <>
      <PageHeader title={view} about={<PageLink to="/features">Features</PageLink>} />
      <Loaded query={found} height={300}>
        {(data) => <ViewSections view={data} />}
      </Loaded>
    </>
  );
}

function ViewSections({ view }: { readonly view: View }): ReactNode {
  const { hash, appliedAt, appliedBy, source, table, keys, windows } = view;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Section title="Definition">
          <Facts
            facts={[
              [
                'Events of',
                <span key="source">
                  {`${source} (table `}
                  <TableLink table={table} />)
                </span>,
              ],
              ['Key', keys.map(({ name, type }) => `${name} (${type})`).join(', ')],
              ['Over the last', windows.join(', ')],
              ['Hash', <CopyCode key="hash" code={hash} shown={formatDigest(hash)} />],
              ['Since', <Instant key="since" value={appliedAt} clock="wall" withClock />],
              ['By', appliedBy],
            ]}
          />
        </Section>
        <Card label="Aggregates">
          <DataTable
            name="Aggregates"
            heading={<Title order={2}>Computed over each window</Title>}
            columns={COLUMNS}
            rows={aggregatesOf(view)}
            rowId={({ name }) => name}
            pageSize={12}
            minWidth={360}
          />
        </Card>
      </SimpleGrid>
      <DeclaredSection declared={view.declared} />
    </Stack>
  );
}
