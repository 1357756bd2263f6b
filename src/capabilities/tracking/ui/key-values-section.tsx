import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { Card, Section } from '../../../web/kit/section.tsx';
import type { Run } from '../contract.ts';

type Pair = Run['params'][number];

const VALUE_SHOWN = 80;
const ROWS_SHOWN = 12;

const COLUMNS: readonly Column<Pair>[] = [
  { id: 'key', header: 'Name', value: ({ key }) => key, cell: ({ key }) => <Key text={key} /> },
  {
    id: 'value',
    header: 'Value',
    value: ({ value }) => value,
    cell: ({ value }) => <Value text={value} />,
  },
];

interface KeyValuesSectionProps {
  readonly title: string;
  readonly pairs: readonly Pair[];
  readonly empty: string;
}

/** Named texts of a run: parameters or tags. */
export function KeyValuesSection({ title, pairs, empty }: KeyValuesSectionProps): ReactNode {
  if (pairs.length === 0) {
    return (
      <Section title={title}>
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      </Section>
    );
  }
  return (
    <Card label={title}>
      <DataTable
        name={title}
        heading={<Title order={2}>{title}</Title>}
        columns={COLUMNS}
        rows={pairs}
        rowId={({ key }) => key}
        pageSize={ROWS_SHOWN}
        minWidth={280}
        sortedBy={{ id: 'key', desc: false }}
        canFilter={pairs.length > ROWS_SHOWN}
      />
    </Card>
  );
}

function Key({ text }: { readonly text: string }): ReactNode {
  return <span title={text}>{formatShort(text, 40)}</span>;
}

function Value({ text }: { readonly text: string }): ReactNode {
  const line = text.replaceAll(/\s+/g, ' ');
  if (line.length <= VALUE_SHOWN) return line;
  return <CopyCode code={text} shown={formatShort(line, VALUE_SHOWN)} />;
}
