import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatDigest, formatShort } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Card } from '../../../web/kit/section.tsx';
import type { View } from '../contract.ts';
import type { MoreOf } from './more-of.ts';

const TEXT_SHOWN = 48;

const COLUMNS: readonly Column<View>[] = [
  {
    id: 'name',
    header: 'View',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <PageLink to="/features/views/$view" params={{ view: name }} title={name}>
        {formatShort(name, TEXT_SHOWN)}
      </PageLink>
    ),
  },
  { id: 'table', header: 'Events of', value: ({ table }) => table },
  {
    id: 'keys',
    header: 'Key',
    value: ({ keys }) => keys.map(({ name }) => name).join(', '),
  },
  {
    id: 'features',
    header: 'Computes',
    value: ({ features }) => features.map(({ name }) => name).join(', '),
    cell: ({ features }) => (
      <span title={features.map(({ name }) => name).join(', ')}>
        {formatShort(features.map(({ name }) => name).join(', '), TEXT_SHOWN)}
      </span>
    ),
  },
  { id: 'windows', header: 'Over the last', value: ({ windows }) => windows.join(', ') },
  {
    id: 'hash',
    header: 'Definition',
    value: ({ hash }) => hash,
    cell: ({ hash }) => <code title={hash}>{formatDigest(hash)}</code>,
  },
];

/** Aggregates of one source's events by one entity. */
export function ViewsSection({ items, more }: MoreOf<View>): ReactNode {
  return (
    <Card label="Views">
      <DataTable
        name="Views"
        heading={<Title order={2}>Views</Title>}
        columns={COLUMNS}
        rows={items}
        rowId={({ name }) => name}
        minWidth={760}
        canFilter={items.length > 8}
        more={more}
        moreLabel="Read more"
      />
    </Card>
  );
}
