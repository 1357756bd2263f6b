import { Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort, formatValue } from '../../../web/kit/format.ts';
import { Card } from '../../../web/kit/section.tsx';
import classes from './compared-table.module.css';
import type { ComparedRow } from './compared-runs.ts';

const VALUE_SHOWN = 24;
const KEY_SHOWN = 40;
const NAME_SHOWN = 22;
const ROWS_SHOWN = 15;

interface ComparedTableProps {
  readonly title: string;
  /** What a row is: a parameter, a metric. */
  readonly what: string;
  readonly rows: readonly ComparedRow[];
  readonly names: readonly string[];
  /** Lists what is the same in all runs as well. */
  readonly isWhole: boolean;
}

/** One property a row, one run a column; what differs from the first run stands out. */
export function ComparedTable(props: ComparedTableProps): ReactNode {
  const { title, what, rows, names, isWhole } = props;
  const different = rows.filter(({ isDifferent }) => isDifferent);
  const shown = isWhole ? rows : different;
  const columns = useMemo(() => columnsOf(what, names), [what, names]);
  if (rows.length === 0) return null;
  return (
    <Card label={title}>
      {shown.length === 0 ? (
        <>
          <Title order={2}>{title}</Title>
          {`All ${rows.length} are the same in these runs.`}
        </>
      ) : (
        <DataTable
          name={title}
          heading={<Title order={2}>{title}</Title>}
          columns={columns}
          rows={shown}
          rowId={({ key }) => key}
          pageSize={ROWS_SHOWN}
          minWidth={160 + 150 * names.length}
          canFilter={shown.length > ROWS_SHOWN}
        />
      )}
    </Card>
  );
}

function columnsOf(what: string, names: readonly string[]): readonly Column<ComparedRow>[] {
  return [
    {
      id: 'key',
      header: what,
      value: ({ key }) => key,
      cell: ({ key }) => <span title={key}>{formatShort(key, KEY_SHOWN)}</span>,
    },
    ...names.map((name, at): Column<ComparedRow> => ({
      id: `run ${at}`,
      header: formatShort(name, NAME_SHOWN),
      value: ({ values }) => values[at] ?? null,
      cell: ({ values }) => <Value value={values[at] ?? null} first={values[0] ?? null} />,
    })),
  ];
}

function Value(props: {
  readonly value: string | number | null;
  readonly first: string | number | null;
}): ReactNode {
  const { value, first } = props;
  if (Object.is(value, first)) return <Text value={value} />;
  return (
    <mark className={classes['differs']} title="differs from the first run">
      <Text value={value} />
    </mark>
  );
}

function Text({ value }: { readonly value: string | number | null }): ReactNode {
  if (value === null) return 'none';
  if (typeof value === 'number') return formatValue(Number.isNaN(value) ? null : value);
  const line = value.replaceAll(/\s+/g, ' ');
  if (line.length <= VALUE_SHOWN) return line;
  return <CopyCode code={value} shown={formatShort(line, VALUE_SHOWN)} />;
}
