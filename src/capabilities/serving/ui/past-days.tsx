import { useMemo, type ReactNode } from 'react';
import { formatInstant, micros, parseInstant } from '../../../base/time.ts';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCount, formatMicroseconds, formatShare } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import type { PastTraffic, TrafficHistory } from '../../predictions/contract.ts';

const ROWS_SHOWN = 7;

/** The same days as rows, newest first; each number leads to its requests. */
export function PastDays({ history }: { readonly history: TrafficHistory }): ReactNode {
  const rows = useMemo(() => history.items.toReversed(), [history]);
  const columns = useMemo(() => columnsOf(history), [history]);
  return (
    <DataTable
      name="Days"
      columns={columns}
      rows={rows}
      rowId={({ from, arm, modelVersion }) => `${from} ${arm} ${modelVersion}`}
      pageSize={ROWS_SHOWN}
      minWidth={640}
    />
  );
}

function columnsOf({ endpoint, seconds }: TrafficHistory): readonly Column<PastTraffic>[] {
  const toRequests = (row: PastTraffic, text: string, isFailed: boolean): ReactNode => {
    const end = (parseInstant(row.from) ?? 0) + seconds * 1_000_000;
    const { from, modelVersion: version } = row;
    const until = formatInstant(micros(end));
    const failed = isFailed ? { failed: true } : {};
    return (
      <PageLink
        to="/trace"
        search={{ endpoint, from, until, version, ...failed }}
        underline="hover"
      >
        {text}
      </PageLink>
    );
  };
  return [
    {
      id: 'day',
      header: 'Day (domain clock, UTC)',
      value: ({ from }) => from,
      cell: ({ from }) => from.slice(0, 10),
    },
    { id: 'version', header: 'Version', value: ({ modelVersion }) => `v${modelVersion}` },
    { id: 'arm', header: 'Arm', value: ({ arm }) => arm },
    {
      id: 'requests',
      header: 'Requests',
      isNumeric: true,
      value: ({ requests }) => requests,
      cell: (row) => toRequests(row, formatCount(row.requests), false),
    },
    {
      id: 'errors',
      header: 'Errors',
      isNumeric: true,
      value: ({ errors }) => errors,
      cell: (row) =>
        row.errors === 0
          ? '0'
          : toRequests(
              row,
              `${formatCount(row.errors)} (${formatShare(row.errors, row.requests)})`,
              true,
            ),
    },
    {
      id: 'p50',
      header: 'p50',
      isNumeric: true,
      value: ({ p50Us }) => p50Us,
      cell: ({ p50Us }) => formatMicroseconds(p50Us),
    },
    {
      id: 'p99',
      header: 'p99',
      isNumeric: true,
      value: ({ p99Us }) => p99Us,
      cell: ({ p99Us }) => formatMicroseconds(p99Us),
    },
  ];
}
