import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatDigest, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Card } from '../../../web/kit/section.tsx';
import type { Service } from '../contract.ts';
import type { MoreOf } from './more-of.ts';

const COLUMNS: readonly Column<Service>[] = [
  {
    id: 'name',
    header: 'Service',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <PageLink to="/features/services/$service" params={{ service: name }} title={name}>
        {formatShort(name, 48)}
      </PageLink>
    ),
  },
  { id: 'features', header: 'Features', isNumeric: true, value: (one) => one.features.length },
  {
    id: 'asks',
    header: 'Asks for',
    value: ({ inputs }) => inputs.map(({ name }) => name).join(', '),
    cell: ({ inputs }) => formatShort(inputs.map(({ name }) => name).join(', '), 60),
  },
  {
    id: 'hash',
    header: 'Definition',
    value: ({ hash }) => hash,
    cell: ({ hash }) => <code title={hash}>{formatDigest(hash)}</code>,
  },
  {
    id: 'since',
    header: 'Since (wall clock)',
    value: ({ appliedAt }) => appliedAt,
    cell: ({ appliedAt }) => <Instant value={appliedAt} clock="wall" />,
  },
  { id: 'by', header: 'By', value: ({ appliedBy }) => appliedBy },
];

/** What models and endpoints ask for: each a vector in one order. */
export function ServicesSection({ items, more }: MoreOf<Service>): ReactNode {
  return (
    <Card label="Services">
      <DataTable
        name="Services"
        heading={<Title order={2}>Services</Title>}
        columns={COLUMNS}
        rows={items}
        rowId={({ name }) => name}
        minWidth={720}
        canFilter={items.length > 8}
        more={more}
        moreLabel="Read more"
      />
    </Card>
  );
}
