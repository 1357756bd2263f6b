import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { Card } from '../../../web/kit/section.tsx';
import type { ModelVersion, TensorSpec } from '../contract.ts';

interface Row extends TensorSpec {
  readonly side: 'input' | 'output';
}

const ROWS_SHOWN = 12;

const COLUMNS: readonly Column<Row>[] = [
  { id: 'side', header: 'Is', value: ({ side }) => side },
  {
    id: 'name',
    header: 'Tensor',
    value: ({ name }) => name,
    cell: ({ name }) => <span title={name}>{formatShort(name, 40)}</span>,
  },
  { id: 'datatype', header: 'Type', value: ({ datatype }) => datatype },
  {
    id: 'shape',
    header: 'Shape',
    value: ({ shape }) => `[${shape.map((n) => (n === -1 ? 'any' : n)).join(', ')}]`,
  },
];

/** What the version takes and gives. */
export function SignatureSection(props: {
  readonly signature: ModelVersion['signature'];
}): ReactNode {
  const { inputs, outputs } = props.signature;
  const rows: readonly Row[] = [
    ...inputs.map((spec) => ({ ...spec, side: 'input' as const })),
    ...outputs.map((spec) => ({ ...spec, side: 'output' as const })),
  ];
  return (
    <Card label="Signature">
      <DataTable
        name="Signature"
        heading={<Title order={2}>Signature</Title>}
        columns={COLUMNS}
        rows={rows}
        rowId={({ side, name }) => `${side} ${name}`}
        pageSize={ROWS_SHOWN}
        canFilter={rows.length > ROWS_SHOWN}
        minWidth={320}
      />
    </Card>
  );
}
