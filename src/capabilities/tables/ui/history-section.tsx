import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCount, formatShort } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { tableHistory, type Commit } from '../contract.ts';
import { TABLES_POLL_MS } from './tables-poll.ts';

const COMMITS_A_PAGE = 100;
/** A build of a training set is called by a whole hash. */
const STREAM_SHOWN = 24;

interface HistorySectionProps {
  readonly namespace: string;
  readonly name: string;
  /** The version that the page shows. */
  readonly shown: number;
}

/** Every commit of a table, newest first: what it did, who made it, and what it changed. */
export function HistorySection({ namespace, name, shown }: HistorySectionProps): ReactNode {
  const table = `${namespace}.${name}`;
  const commits = useRoutePages(
    tableHistory,
    { params: { namespace, name }, query: { limit: COMMITS_A_PAGE } },
    { subjects: [`table/${table}`], pollMs: TABLES_POLL_MS },
  );
  return (
    <Loaded query={{ ...commits, data: commits.items }} height={200}>
      {(items) => (
        <Card label="Versions">
          <DataTable
            name={`Versions of ${table}`}
            heading={<Title order={2}>Versions</Title>}
            columns={columnsOf(table, shown)}
            rows={items}
            rowId={({ version }) => String(version)}
            pageSize={10}
            minWidth={980}
            canFilter={items.length > 10}
            more={commits}
          />
        </Card>
      )}
    </Loaded>
  );
}

function columnsOf(table: string, shown: number): readonly Column<Commit>[] {
  return [
    {
      id: 'version',
      header: 'Version',
      isNumeric: true,
      value: ({ version }) => version,
      cell: ({ version }) => (
        <TableLink table={table} version={version}>
          {version === shown ? <strong>{formatCount(version)}</strong> : formatCount(version)}
        </TableLink>
      ),
    },
    {
      id: 'at',
      header: 'Committed (wall clock)',
      value: ({ committedAt }) => committedAt,
      cell: ({ committedAt }) => <Instant value={committedAt} clock="wall" />,
    },
    {
      id: 'operation',
      header: 'Operation',
      value: ({ operation }) => operation,
      cell: (commit) => <Operation commit={commit} />,
    },
    { id: 'by', header: 'By', value: ({ user, engine }) => user ?? engine },
    {
      id: 'stream',
      header: 'Stream',
      value: ({ app }) => app,
      cell: ({ app }) =>
        app === null ? '–' : <span title={app}>{formatShort(app, STREAM_SHOWN)}</span>,
    },
    { id: 'added', header: 'Rows +', isNumeric: true, value: ({ rowsAdded }) => rowsAdded },
    {
      id: 'removed',
      header: 'Rows −',
      isNumeric: true,
      value: ({ rowsRemoved }) => rowsRemoved,
      cell: ({ rowsRemoved }) =>
        rowsRemoved === null ? (
          <Text span inherit c="dimmed">
            not counted
          </Text>
        ) : (
          formatCount(rowsRemoved)
        ),
    },
    { id: 'filesAdded', header: 'Files +', isNumeric: true, value: (one) => one.filesAdded },
    { id: 'filesRemoved', header: 'Files −', isNumeric: true, value: (one) => one.filesRemoved },
    {
      id: 'difference',
      header: 'Difference',
      canSort: false,
      value: ({ version }) => (version === 0 ? null : `${version - 1} to ${version}`),
      cell: ({ version }) =>
        version === 0 ? null : (
          <PageLink
            to="/tables/$table"
            params={{ table }}
            search={(former) => ({ ...former, from: version - 1, to: version })}
            hash="difference"
          >
            {`${version - 1} → ${version}`}
          </PageLink>
        ),
    },
  ];
}

function Operation({ commit }: { readonly commit: Commit }): ReactNode {
  const { operation, changesRows, changesColumns } = commit;
  if (changesRows) return operation;
  return (
    <>
      {`${operation} `}
      <StatusBadge
        tone="plain"
        title={
          changesColumns
            ? 'This commit changed what the table is, not what is in it'
            : 'This commit moved rows to other files; none was added, removed or changed'
        }
      >
        {changesColumns ? 'columns' : 'no change'}
      </StatusBadge>
    </>
  );
}
