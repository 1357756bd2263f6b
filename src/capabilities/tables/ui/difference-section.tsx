import { Alert, Button, Group, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { DataTable, type Column as TableColumn } from '../../../web/kit/data-table.tsx';
import { formatCount } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { diffTable, type Column, type TableDifference } from '../contract.ts';
import { cellColumns, LeftOut, type Row } from './table-cells.tsx';

/** What a link to this section must leave free for the header that covers the page's top. */
const HEADER_PX = 64;

/** Rows read of each side. */
const ROWS_SHOWN = 100;

interface DifferenceSectionProps {
  readonly namespace: string;
  readonly name: string;
  /** Null while the page shows an older version. */
  readonly newest: number | null;
}

/** What one version of a table differs from another by. */
export function DifferenceSection(props: DifferenceSectionProps): ReactNode {
  const { from, to } = useSearch({ from: '/tables/$table' });
  return (
    <div id="difference" style={{ scrollMarginTop: HEADER_PX }}>
      <Section title="Difference between two versions">
        <Stack gap="md">
          <VersionsForm key={`${from} ${to}`} {...props} from={from} to={to} />
          {from !== undefined && to !== undefined && <Difference {...props} from={from} to={to} />}
        </Stack>
      </Section>
    </div>
  );
}

interface VersionsFormProps extends DifferenceSectionProps {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function VersionsForm({ newest, from, to }: VersionsFormProps): ReactNode {
  const navigate = useNavigate({ from: '/tables/$table' });
  const last = newest ?? 1;
  const [older, setOlder] = useState<number | string>(from ?? Math.max(0, last - 1));
  const [newer, setNewer] = useState<number | string>(to ?? last);
  const problem =
    typeof older === 'number' && typeof newer === 'number' && older <= newer
      ? null
      : 'The older version first';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (problem !== null) return;
    void navigate({
      search: (former) => ({ ...former, from: Number(older), to: Number(newer) }),
      resetScroll: false,
    });
  };
  const field = { size: 'xs', w: 120, min: 0, allowDecimal: false, allowNegative: false } as const;
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end">
        <NumberInput label="From version" value={older} onChange={setOlder} {...field} />
        <NumberInput label="To version" value={newer} onChange={setNewer} {...field} />
        <Button size="xs" type="submit" disabled={problem !== null}>
          Compare
        </Button>
        {problem !== null && (
          <Text size="xs" c="red" role="alert">
            {problem}
          </Text>
        )}
      </Group>
    </form>
  );
}

interface DifferenceProps {
  readonly namespace: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function Difference({ namespace, name, from, to }: DifferenceProps): ReactNode {
  const query = { from, to, limit: ROWS_SHOWN };
  const found = useRoute(diffTable, { params: { namespace, name }, query });
  return (
    <Loaded query={found} height={200}>
      {(difference) => <Differences difference={difference} table={`${namespace}.${name}`} />}
    </Loaded>
  );
}

interface DifferencesProps {
  readonly difference: TableDifference;
  readonly table: string;
}

interface SignedRow extends Row {
  readonly sign: 'added' | 'removed';
}

const SIGN: TableColumn<SignedRow> = {
  id: 'sign',
  header: 'Row',
  value: ({ sign }) => sign,
  cell: ({ sign }) => (
    <Text span inherit c={sign === 'added' ? 'teal' : 'red'}>
      {sign === 'added' ? '+ added' : '− removed'}
    </Text>
  ),
};

function Differences({ difference, table }: DifferencesProps): ReactNode {
  const { from, to, rowsAdded, rowsRemoved, notCompared, rowColumns } = difference;
  const rows = [
    ...difference.addedRows.map((cells) => ({ sign: 'added' as const, cells })),
    ...difference.removedRows.map((cells) => ({ sign: 'removed' as const, cells })),
  ].map((row, index): SignedRow => ({ ...row, index }));
  const more = rowsAdded + rowsRemoved - rows.length;
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="sm">
        <NumberCard
          label="Rows added"
          value={formatCount(rowsAdded)}
          about={notCompared === null ? `from ${from} to ${to}` : 'in files that came'}
        />
        <NumberCard
          label="Rows removed"
          value={formatCount(rowsRemoved)}
          about={notCompared === null ? `from ${from} to ${to}` : 'in files that went'}
        />
        <NumberCard
          label="Columns"
          value={columnsCount(difference)}
          about="added, removed, other"
        />
      </SimpleGrid>
      {notCompared !== null && (
        <Alert color="yellow" variant="light" title="Rows were not compared one by one">
          {notCompared}
        </Alert>
      )}
      <ColumnChanges columns={difference.columns} />
      {rows.length === 0 ? (
        notCompared === null && <Text size="sm">No row is different.</Text>
      ) : (
        <div>
          <DataTable
            name={`Difference of ${table} ${from} to ${to}`}
            heading={
              <Text size="sm" c="dimmed">
                {more > 0
                  ? `Some of the rows that differ; ${formatCount(more)} more`
                  : 'Every row that differs'}
              </Text>
            }
            columns={[SIGN, ...cellColumns<SignedRow>(rowColumns)]}
            rows={rows}
            rowId={({ index }) => String(index)}
            pageSize={10}
            minWidth={Math.max(560, Math.min(rowColumns.length, 40) * 110)}
            canFilter={rows.length > 10}
          />
          <LeftOut columns={rowColumns} />
        </div>
      )}
    </>
  );
}

function columnsCount({ columns }: TableDifference): string {
  const { added, removed, changed } = columns;
  if (added.length + removed.length + changed.length === 0) return 'the same';
  return `+${added.length} −${removed.length} ~${changed.length}`;
}

function ColumnChanges({ columns }: Pick<TableDifference, 'columns'>): ReactNode {
  const { added, removed, changed } = columns;
  const lines = [
    ...added.map((column) => `+ ${columnText(column)}`),
    ...removed.map((column) => `− ${columnText(column)}`),
    ...changed.map(({ from, to }) => `~ ${columnText(from)} → ${columnText(to)}`),
  ];
  if (lines.length === 0) return null;
  return (
    <ul aria-label="Columns that differ">
      {lines.map((line) => (
        <li key={line}>
          <code>{line}</code>
        </li>
      ))}
    </ul>
  );
}

function columnText({ name, type, nullable }: Column): string {
  return `${name}: ${type}${nullable ? '' : ', never null'}`;
}
