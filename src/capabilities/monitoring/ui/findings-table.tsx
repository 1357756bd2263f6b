import { Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Check } from '../contract.ts';
import { byGravity, isOfColumn, STATES, toneOf, topicOf, wordOf } from './check-words.ts';
import { behindCheck, lastDayText } from './day-range.ts';
import classes from './monitors.module.css';

const ROWS_SHOWN = 20;

/** A check with the evaluation that made it. */
export interface Found {
  readonly monitor: string;
  readonly evaluation: string;
  readonly at: string;
  readonly check: Check;
}

export function foundIn(
  evaluation: {
    readonly id: string;
    readonly monitor: string;
    readonly at: string;
    readonly checks: readonly Check[];
  },
  keep: (check: Check) => boolean = () => true,
): readonly Found[] {
  const { id, monitor, at, checks } = evaluation;
  return checks
    .filter(keep)
    .toSorted(byGravity)
    .map((check) => ({ monitor, evaluation: id, at, check }));
}

interface FindingsTableProps {
  readonly name: string;
  readonly heading: ReactNode;
  readonly found: readonly Found[];
  /** Whether they are of several monitors. */
  readonly withMonitor?: boolean;
}

/** Findings with their sentences; each leads to what is behind it. */
export function FindingsTable(props: FindingsTableProps): ReactNode {
  const { name, heading, found, withMonitor = false } = props;
  const columns = useMemo(() => (withMonitor ? [MONITOR, ...COLUMNS] : COLUMNS), [withMonitor]);
  return (
    <DataTable
      name={name}
      heading={<Title order={2}>{heading}</Title>}
      columns={columns}
      rows={found}
      rowId={({ evaluation, check }) => `${evaluation} ${topicOf(check)} ${check.version ?? ''}`}
      pageSize={ROWS_SHOWN}
      minWidth={820}
      canFilter={found.length > 6}
    />
  );
}

const MONITOR: Column<Found> = {
  id: 'monitor',
  header: 'Monitor',
  value: ({ monitor }) => monitor,
  cell: ({ monitor }) => (
    <PageLink to="/monitors/$monitor" params={{ monitor }}>
      {monitor}
    </PageLink>
  ),
};

const COLUMNS: readonly Column<Found>[] = [
  {
    id: 'state',
    header: 'State',
    // In the order of gravity, whichever way the words would sort.
    value: ({ check }) => `${STATES.indexOf(check.state)} ${wordOf(check.state)}`,
    cell: ({ check }) => (
      <StatusBadge tone={toneOf(check.state)}>{wordOf(check.state)}</StatusBadge>
    ),
  },
  {
    id: 'what',
    header: 'What',
    value: ({ check }) => topicOf(check),
    cell: (found) => (
      <div className={classes['topic']}>
        <Topic {...found} />
      </div>
    ),
  },
  {
    id: 'version',
    header: 'Version',
    value: ({ check }) => (check.version === null ? null : `v${check.version}`),
  },
  {
    id: 'says',
    header: 'Found',
    value: ({ check }) => check.explanation,
    cell: ({ check }) => <div className={classes['sentence']}>{check.explanation}</div>,
  },
  {
    id: 'value',
    header: 'Measured',
    isNumeric: true,
    value: ({ check }) => check.value,
    cell: ({ check: { value, threshold } }) =>
      value === null ? null : (
        <span title={threshold === null ? '' : `threshold ${formatValue(threshold)}`}>
          {formatValue(Number(value.toPrecision(4)))}
        </span>
      ),
  },
  {
    id: 'since',
    header: 'Since (domain clock)',
    value: ({ check }) => check.since,
    cell: ({ check: { since } }) =>
      since === null ? null : <Instant value={since} clock="domain" />,
  },
  {
    id: 'rows',
    header: 'Behind it',
    canSort: false,
    value: ({ evaluation }) => evaluation,
    cell: ({ monitor, evaluation, at, check }) => (
      <>
        <PageLink
          to="/trace"
          search={{ endpoint: monitor, ...behindCheck(check, at) }}
          aria-label={`Requests behind ${topicOf(check)}`}
        >
          requests
        </PageLink>
        {' · '}
        <PageLink
          to="/monitors/$monitor/evaluations/$evaluation"
          params={{ monitor, evaluation }}
          aria-label={`Evaluation that found ${topicOf(check)}`}
        >
          evaluation
        </PageLink>
      </>
    ),
  },
];

/** A column leads to its distribution, quality to its course over time. */
function Topic({ monitor, check, at }: Found): ReactNode {
  const { kind, subject, version } = check;
  const text = topicOf(check);
  if (isOfColumn(check) && version !== null) {
    return (
      <PageLink
        to="/monitors/$monitor"
        params={{ monitor }}
        search={{ column: subject, version, day: lastDayText(at) }}
        hash="distribution"
        title={`How ${subject} is distributed`}
      >
        {text}
      </PageLink>
    );
  }
  const hash = HASHES[kind];
  if (hash === undefined) return text;
  return (
    <PageLink to="/monitors/$monitor" params={{ monitor }} hash={hash}>
      {text}
    </PageLink>
  );
}

const HASHES: Partial<Readonly<Record<Check['kind'], string>>> = {
  quality: 'quality',
  calibration: 'quality',
  labels: 'quality',
  label_silence: 'quality',
  unit_change: 'units',
};
