import { EmptyState, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatBytes, formatCount, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoutePages, type PagedRoute } from '../../../web/kit/use-route.ts';
import { committedBy, listTables, type TableListItem } from '../contract.ts';
import { TABLES_POLL_MS } from './tables-poll.ts';

const TABLES_A_PAGE = 200;

function byOf({ lastChange }: TableListItem): string | null {
  return lastChange === null ? null : committedBy(lastChange);
}

function nameOf({ namespace, name }: TableListItem): string {
  return `${namespace}.${name}`;
}

const COLUMNS: readonly Column<TableListItem>[] = [
  {
    id: 'table',
    header: 'Table',
    value: nameOf,
    cell: (table) => <TableLink table={nameOf(table)} />,
  },
  {
    id: 'version',
    header: 'Version',
    isNumeric: true,
    value: ({ version }) => version,
    cell: (table) => (
      <TableLink table={nameOf(table)} version={table.version}>
        {formatCount(table.version)}
      </TableLink>
    ),
  },
  {
    id: 'rows',
    header: 'Rows',
    isNumeric: true,
    value: ({ rows }) => rows,
    cell: ({ rows }) => (rows === null ? <Text c="dimmed">not counted</Text> : formatCount(rows)),
  },
  { id: 'files', header: 'Files', isNumeric: true, value: ({ files }) => files },
  {
    id: 'size',
    header: 'Size',
    isNumeric: true,
    value: ({ sizeBytes }) => sizeBytes,
    cell: ({ sizeBytes }) => formatBytes(sizeBytes),
  },
  {
    id: 'changed',
    header: 'Last change (wall clock)',
    value: ({ lastChange }) => lastChange?.committedAt ?? null,
    cell: ({ lastChange }) =>
      lastChange === null ? '–' : <Instant value={lastChange.committedAt} clock="wall" />,
  },
  {
    id: 'operation',
    header: 'Operation',
    value: ({ lastChange }) => lastChange?.operation ?? null,
  },
  {
    id: 'by',
    header: 'By',
    value: byOf,
    cell: (table) => <span title={byOf(table) ?? ''}>{formatShort(byOf(table) ?? '–', 24)}</span>,
  },
];

/** Every Delta table of the lake: how much is in it, and what last changed it. */
export function TablesPage(): ReactNode {
  const tables = useRoutePages(
    listTables,
    { query: { limit: TABLES_A_PAGE } },
    { subjects: ['table/'], pollMs: TABLES_POLL_MS },
  );
  return (
    <>
      <PageHeader title="Tables" about="Delta Lake tables, and every version they had" />
      <Loaded query={{ ...tables, data: tables.items }} height={300}>
        {(items) =>
          items.length === 0 ? <NoTables /> : <TablesList items={items} more={tables} />
        }
      </Loaded>
    </>
  );
}

interface TablesListProps {
  readonly items: readonly TableListItem[];
  readonly more: PagedRoute<TableListItem>;
}

function TablesList({ items, more }: TablesListProps): ReactNode {
  const sum = (of: (table: TableListItem) => number): number =>
    items.reduce((total, table) => total + of(table), 0);
  const uncounted = items.filter(({ rows }) => rows === null).length;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
        <NumberCard
          label="Tables"
          value={formatCount(items.length)}
          about={more.hasMore ? 'read so far' : 'in the lake'}
        />
        <NumberCard
          label="Rows"
          value={formatCount(sum(({ rows }) => rows ?? 0))}
          about={uncounted === 0 ? 'in their newest versions' : `without ${uncounted} tables`}
        />
        <NumberCard
          label="Files"
          value={formatCount(sum(({ files }) => files))}
          about="of the newest versions"
        />
        <NumberCard
          label="Size"
          value={formatBytes(sum(({ sizeBytes }) => sizeBytes))}
          about="of these files"
        />
      </SimpleGrid>
      <Card label="Tables">
        <DataTable
          name="Tables"
          heading={<Title order={2}>Tables</Title>}
          columns={COLUMNS}
          rows={items}
          rowId={nameOf}
          minWidth={900}
          canFilter={items.length > 5}
          more={more}
          moreLabel="Read more"
        />
      </Card>
    </Stack>
  );
}

function NoTables(): ReactNode {
  return (
    <Section title="Tables">
      <EmptyState
        icon={<IconTable aria-hidden />}
        title="There is no table yet"
        description="Make one from the columns of a Parquet file, then append its rows; answered requests get a table by themselves."
      >
        <Stack gap="xs">
          <CopyCode isBlock code="millwright tables create landings --from landings.parquet" />
          <CopyCode isBlock code="millwright tables append landings landings.parquet" />
        </Stack>
      </EmptyState>
    </Section>
  );
}
