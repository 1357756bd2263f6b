import type { Column } from './data-table.tsx';
import { formatCount, formatMicroseconds, formatShare } from './format.ts';
import { PageLink } from './link.tsx';
import { StatusBadge } from './status-badge.tsx';
import { errorTone, type TrafficSum } from './traffic.ts';

/** A row of what answers now, and how it does. */
interface TrafficRow {
  readonly traffic: TrafficSum;
}

/** Requests, errors and latency of now; each number leads to the requests that `of` names. */
export function trafficColumns<Row extends TrafficRow>(
  of: (row: Row) => { readonly endpoint: string; readonly version?: number },
): readonly Column<Row>[] {
  return [
    {
      id: 'requests',
      header: 'Requests, 10 min',
      isNumeric: true,
      value: ({ traffic }) => traffic.requests,
      cell: (row) => (
        <PageLink to="/trace" search={of(row)} underline="hover">
          {formatCount(row.traffic.requests)}
        </PageLink>
      ),
    },
    {
      id: 'errors',
      header: 'Errors',
      isNumeric: true,
      value: ({ traffic }) => traffic.errors,
      cell: (row) => {
        const { errors, requests } = row.traffic;
        if (errors === 0) return '0';
        const title = `${formatCount(errors)} requests`;
        return (
          <PageLink to="/trace" search={{ ...of(row), failed: true }} underline="never">
            <StatusBadge tone={errorTone(row.traffic)} title={title}>
              {formatShare(errors, requests)}
            </StatusBadge>
          </PageLink>
        );
      },
    },
    {
      id: 'p99',
      header: 'p99, last minute',
      isNumeric: true,
      value: ({ traffic }) => traffic.worstP99Us,
      cell: ({ traffic }) =>
        traffic.worstP99Us === null ? null : formatMicroseconds(traffic.worstP99Us),
    },
  ];
}
