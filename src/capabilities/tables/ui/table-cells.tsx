import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CsvValue } from '../../../base/csv.ts';
import type { Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { instantText } from '../../../web/kit/instant-text.ts';
import type { Column as Declared, ColumnType } from '../contract.ts';

/** Columns drawn at once: a browser draws thousands of cells, not hundreds of thousands. */
export const COLUMNS_SHOWN = 40;
/** Logged requests are documents; the whole text is in the CSV and behind the pointer. */
const CHARS_SHOWN = 60;

export interface Row {
  /** Where it stands among the rows that were read. */
  readonly index: number;
  readonly cells: readonly unknown[];
}

const NUMERIC: readonly ColumnType[] = ['long', 'integer', 'double', 'float'];

/** The table's own columns, as columns of a table on the page. */
export function cellColumns<Shown extends Row>(
  columns: readonly Declared[],
): readonly Column<Shown>[] {
  return columns.slice(0, COLUMNS_SHOWN).map(({ name, type }, index) => ({
    id: `c${index}`,
    header: name,
    isNumeric: NUMERIC.includes(type),
    value: ({ cells }) => (cells[index] ?? null) as CsvValue,
    cell: ({ cells }) => <CellText value={(cells[index] ?? null) as CsvValue} type={type} />,
  }));
}

interface CellTextProps {
  readonly value: CsvValue;
  readonly type: ColumnType;
}

function CellText({ value, type }: CellTextProps): ReactNode {
  if (value === null) {
    return (
      <Text span inherit c="dimmed">
        null
      </Text>
    );
  }
  // A number as it is stored: these are rows and no figures.
  const text = type === 'timestamp' ? instantText(String(value)) : String(value);
  return text.length <= CHARS_SHOWN ? (
    text
  ) : (
    <span title={text}>{formatShort(text, CHARS_SHOWN)}</span>
  );
}

/** What of wide tables is not drawn. */
export function LeftOut({ columns }: { readonly columns: readonly Declared[] }): ReactNode {
  const more = columns.length - COLUMNS_SHOWN;
  if (more <= 0) return null;
  return (
    <Text size="xs" c="dimmed" mt="xs">
      {`The first ${COLUMNS_SHOWN} columns; ${more} more are not drawn.`}
    </Text>
  );
}
