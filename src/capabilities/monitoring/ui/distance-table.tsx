import { Title, UnstyledButton } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCount } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { ColumnHistory } from '../contract.ts';
import { toneOf, wordOf } from './check-words.ts';
import { foundOn } from './column-chart.ts';
import { dayText } from './day-range.ts';
import { four } from './quality-chart.ts';

const ROWS_SHOWN = 7;

type ColumnDay = ColumnHistory['days'][number];

/** The days of a column; each is drawn when chosen, and leads to its requests and evaluation. */
export function DistanceTable({ history }: { readonly history: ColumnHistory }): ReactNode {
  const navigate = useNavigate({ from: '/monitors/$monitor' });
  const columns = useMemo(
    () =>
      columnsOf(history, (day) => {
        void navigate({ search: (was) => ({ ...was, day }), resetScroll: false });
      }),
    [history, navigate],
  );
  const newest = useMemo(() => history.days.toReversed(), [history]);
  return (
    <DataTable
      name={`Days of ${history.column}`}
      heading={<Title order={3}>By day, the newest first</Title>}
      columns={columns}
      rows={newest}
      rowId={({ from }) => from}
      pageSize={ROWS_SHOWN}
      minWidth={520}
    />
  );
}

function columnsOf(
  history: ColumnHistory,
  choose: (day: string) => void,
): readonly Column<ColumnDay>[] {
  const { monitor, version } = history;
  const numeric = (id: string, header: string, of: (day: ColumnDay) => number | null) => ({
    id,
    header,
    isNumeric: true,
    value: of,
    cell: (day: ColumnDay) => {
      const value = of(day);
      return value === null ? null : four(value);
    },
  });
  return [
    {
      id: 'day',
      header: 'Day (domain clock, UTC)',
      value: ({ from }) => dayText(from),
      cell: ({ from }) => (
        <UnstyledButton
          fz="inherit"
          c="var(--mantine-color-anchor)"
          title={`Draw ${dayText(from)}`}
          onClick={() => {
            choose(dayText(from));
          }}
        >
          {dayText(from)}
        </UnstyledButton>
      ),
    },
    {
      id: 'rows',
      header: 'Requests',
      isNumeric: true,
      value: ({ rows }) => rows,
      cell: ({ from, until, rows }) => (
        <PageLink to="/trace" search={{ endpoint: monitor, from, until, version }}>
          {formatCount(rows)}
        </PageLink>
      ),
    },
    numeric('distance', 'Distance', ({ distance }) => distance),
    numeric('floor', 'Noise floor', (day) => foundOn(history, day)?.floor ?? null),
    {
      id: 'state',
      header: 'Found',
      value: (day) => foundOn(history, day)?.state ?? null,
      cell: (day) => {
        const found = foundOn(history, day);
        if (found === undefined) return null;
        const { evaluation, state } = found;
        return (
          <PageLink
            to="/monitors/$monitor/evaluations/$evaluation"
            params={{ monitor, evaluation }}
          >
            <StatusBadge tone={toneOf(state)}>{wordOf(state)}</StatusBadge>
          </PageLink>
        );
      },
    },
  ];
}
