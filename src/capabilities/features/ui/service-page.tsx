import { SimpleGrid, Stack, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatDigest, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import {
  getService,
  listViews,
  type FeatureDescription,
  type Service,
  type View,
} from '../contract.ts';
import { DeclaredSection } from './declared-section.tsx';
import { expressionOf } from './expressions.ts';
import { LookupSection } from './lookup-section.tsx';

const OPTIONS = { subjects: ['features'] };
const FEATURES_SHOWN = 15;

/** One service: what it asks for, what it answers and how that is computed, tried on any key. */
export function ServicePage(): ReactNode {
  const { service } = useParams({ from: '/features/services/$service' });
  const found = useRoute(getService, { params: { service } }, OPTIONS);
  const views = useRoute(listViews, { query: { limit: PAGE_LIMIT_MAX } }, OPTIONS);
  return (
    <>
      <PageHeader title={service} about={<PageLink to="/features">Features</PageLink>} />
      <Loaded query={together(found, views)} height={400}>
        {([data, { items }]) => (
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
              <AboutSection service={data} />
              <LookupSection key={data.hash} service={data} />
            </SimpleGrid>
            <FeaturesTable service={data} views={items} />
            <DeclaredSection declared={data.declared} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function AboutSection({ service }: { readonly service: Service }): ReactNode {
  const { name, hash, appliedAt, appliedBy, inputs, views } = service;
  return (
    <Section title="Definition">
      <Facts
        facts={[
          ['Hash', <CopyCode key="hash" code={hash} shown={formatDigest(hash)} />],
          ['Since', <Instant key="since" value={appliedAt} clock="wall" withClock />],
          ['By', appliedBy],
          [
            'Asks for',
            inputs.map((input) => (
              <div key={input.name}>
                {`${input.name} (${input.type}${input.role === 'key' ? ', key' : ''})`}
              </div>
            )),
          ],
          [
            'Views',
            views.length === 0
              ? null
              : views.map((view) => (
                  <div key={view.name}>
                    <PageLink to="/features/views/$view" params={{ view: view.name }}>
                      {view.name}
                    </PageLink>
                  </div>
                )),
          ],
          ['Check', <CopyCode key="verify" code={`millwright features verify ${name}`} />],
        ]}
      />
    </Section>
  );
}

interface FeaturesTableProps {
  readonly service: Service;
  readonly views: readonly View[];
}

function FeaturesTable({ service, views }: FeaturesTableProps): ReactNode {
  const columns = useMemo((): readonly Column<FeatureDescription>[] => {
    const position = new Map(service.features.map(({ name }, index) => [name, index]));
    return [
      {
        id: 'position',
        header: 'No.',
        isNumeric: true,
        value: ({ name }) => position.get(name) ?? null,
      },
      {
        id: 'name',
        header: 'Feature',
        value: ({ name }) => name,
        cell: ({ name }) => <span title={name}>{formatShort(name, 56)}</span>,
      },
      {
        id: 'computed',
        header: 'Computed as',
        value: (feature) => expressionOf(feature, service, views),
        cell: (feature) => {
          const text = expressionOf(feature, service, views);
          return text === null ? null : <code title={text}>{formatShort(text, 72)}</code>;
        },
      },
      { id: 'of', header: 'From', value: ({ view }) => view ?? 'the request' },
    ];
  }, [service, views]);
  return (
    <Card label="Features">
      <DataTable
        name={`Features of ${service.name}`}
        heading={<Title order={2}>Features, in the order of the vector</Title>}
        columns={columns}
        rows={service.features}
        rowId={({ name }) => name}
        pageSize={FEATURES_SHOWN}
        minWidth={640}
        canFilter={service.features.length > FEATURES_SHOWN}
      />
    </Card>
  );
}
