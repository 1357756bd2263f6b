import { SimpleGrid, Stack, Title } from '@mantine/core';
import { useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column as TableColumn } from '../../../web/kit/data-table.tsx';
import { formatBytes, formatCount, formatCounted } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { LineageChain } from '../../../web/kit/lineage-chain.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getTable, type Column, type Table } from '../contract.ts';
import { DifferenceSection } from './difference-section.tsx';
import { HistorySection } from './history-section.tsx';
import { RowsSection } from './rows-section.tsx';
import { TABLES_POLL_MS } from './tables-poll.ts';

const COLUMNS: readonly TableColumn<Column>[] = [
  { id: 'name', header: 'Column', value: ({ name }) => name },
  { id: 'type', header: 'Type', value: ({ type }) => type },
  { id: 'nullable', header: 'Null', value: ({ nullable }) => (nullable ? 'yes' : 'never') },
];

/** One table: what it is at a version, every version it had, and what they differ by. */
export function TablePage(): ReactNode {
  const { table } = useParams({ from: '/tables/$table' });
  const { version } = useSearch({ from: '/tables/$table' });
  const dot = table.indexOf('.');
  const params = { namespace: table.slice(0, Math.max(dot, 0)), name: table.slice(dot + 1) };
  const found = useRoute(
    getTable,
    { params, query: version === undefined ? {} : { version } },
    { subjects: [`table/${table}`], pollMs: TABLES_POLL_MS },
  );
  return (
    <>
      <PageHeader
        title={version === undefined ? table : `${table} v${version}`}
        about={
          version === undefined ? (
            <PageLink to="/tables">All tables</PageLink>
          ) : (
            <TableLink table={table}>To its newest version</TableLink>
          )
        }
      />
      <Loaded query={found} height={400}>
        {(data) => <TableSections table={data} isPast={version !== undefined} />}
      </Loaded>
    </>
  );
}

interface TableSectionsProps {
  readonly table: Table;
  readonly isPast: boolean;
}

function TableSections({ table, isPast }: TableSectionsProps): ReactNode {
  const { namespace, name, columns, version, location } = table;
  const full = `${namespace}.${name}`;
  return (
    <Stack gap="md">
      <Numbers table={table} isPast={isPast} />
      <HistorySection namespace={namespace} name={name} shown={version} />
      <DifferenceSection namespace={namespace} name={name} newest={isPast ? null : version} />
      <RowsSection table={table} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Card label="Columns">
          <DataTable
            name={`Columns of ${full}`}
            heading={<Title order={2}>{formatCounted(columns.length, 'column')}</Title>}
            columns={COLUMNS}
            rows={columns}
            rowId={(column) => column.name}
            pageSize={15}
            minWidth={320}
            canFilter={columns.length > 15}
          />
        </Card>
        <Stack gap="md">
          <Section
            title="Lineage"
            aside={
              <PageLink to="/lineage" search={{ of: `table/${full}@${version}` }} fz="sm">
                As a graph
              </PageLink>
            }
          >
            <LineageChain of={`table/${full}@${version}`} />
          </Section>
          <Section title="Read it elsewhere">
            <Stack gap="xs">
              <CopyCode isBlock code={location} />
              <CopyCode isBlock code={`deltalake.DeltaTable("${location}", version=${version})`} />
              <CopyCode isBlock code={`millwright tables rows ${full} --version ${version}`} />
            </Stack>
          </Section>
        </Stack>
      </SimpleGrid>
    </Stack>
  );
}

function Numbers({ table, isPast }: TableSectionsProps): ReactNode {
  const { version, rows, files, sizeBytes, createdAt } = table;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" verticalSpacing="sm">
      <NumberCard
        label="Version"
        value={formatCount(version)}
        about={isPast ? 'as it was then' : 'the newest'}
      />
      <NumberCard label="Rows" value={formatCount(rows)} about="shown below" />
      <NumberCard label="Files" value={formatCount(files)} about="Parquet" />
      <NumberCard
        label="Size"
        value={formatBytes(sizeBytes)}
        about={rows === 0 ? 'no row' : `${formatBytes(sizeBytes / rows)} a row`}
      />
      <NumberCard
        label="Since"
        value={<Instant value={createdAt} clock="wall" fz="sm" />}
        about="wall clock"
      />
    </SimpleGrid>
  );
}
