import { EmptyState, Title } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import type { TrainingSet } from '../contract.ts';
import type { MoreOf } from './more-of.ts';

const COLUMNS: readonly Column<TrainingSet>[] = [
  {
    id: 'name',
    header: 'Training set',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <PageLink to="/features/training-sets/$name" params={{ name }} title={name}>
        {formatShort(name, 48)}
      </PageLink>
    ),
  },
  {
    id: 'service',
    header: 'Service',
    value: ({ service }) => service,
    cell: ({ service }) => (
      <PageLink to="/features/services/$service" params={{ service }}>
        {service}
      </PageLink>
    ),
  },
  {
    id: 'latest',
    header: 'Latest',
    value: ({ latestVersion }) => latestVersion,
    cell: ({ name, latestVersion }) =>
      latestVersion === null ? (
        <CopyCode code={`millwright features train-set ${name}`} />
      ) : (
        <PageLink
          to="/features/training-sets/$name/versions/$version"
          params={{ name, version: String(latestVersion) }}
        >
          {`v${latestVersion}`}
        </PageLink>
      ),
  },
];

/** The declared training sets, each with its newest version. */
export function TrainingSetsSection({ items, more }: MoreOf<TrainingSet>): ReactNode {
  if (items.length === 0) {
    return (
      <Section title="Training sets">
        <EmptyState
          icon={<IconTable aria-hidden />}
          title="No training set is declared"
          description="Add one under training_sets in millwright.yaml, then apply it and build it."
        >
          <CopyCode isBlock code="millwright features train-set NAME" />
        </EmptyState>
      </Section>
    );
  }
  return (
    <Card label="Training sets">
      <DataTable
        name="Training sets"
        heading={<Title order={2}>Training sets</Title>}
        columns={COLUMNS}
        rows={items}
        rowId={({ name }) => name}
        minWidth={460}
        canFilter={items.length > 8}
        more={more}
        moreLabel="Read more"
      />
    </Card>
  );
}
