import { SimpleGrid, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort } from '../../../web/kit/format.ts';
import { Card } from '../../../web/kit/section.tsx';
import type { Run } from '../contract.ts';

type Input = Run['inputs'][number];
type LoggedModel = Run['models'][number];

const INPUTS: readonly Column<Input>[] = [
  { id: 'name', header: 'Data set', value: ({ name }) => name },
  { id: 'context', header: 'Used for', value: ({ context }) => context },
  { id: 'digest', header: 'Digest', value: ({ digest }) => digest },
  {
    id: 'source',
    header: 'Source',
    value: ({ sourceType, source }) => `${sourceType} ${source}`,
    cell: ({ sourceType, source }) => (
      <span title={source}>
        {`${sourceType} `}
        <Text span inherit c="dimmed">
          {formatShort(source, 60)}
        </Text>
      </span>
    ),
  },
];

const MODELS: readonly Column<LoggedModel>[] = [
  { id: 'model', header: 'Logged model', value: ({ model }) => model },
  {
    id: 'direction',
    header: 'Was',
    value: ({ direction }) => (direction === 'input' ? 'read' : 'made'),
  },
];

/** Data sets and logged models that the script named; nothing when it named none. */
export function UsesSection({ run }: { readonly run: Run }): ReactNode {
  if (run.inputs.length + run.models.length === 0) return null;
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
      {run.inputs.length > 0 && (
        <Card label="Data sets">
          <DataTable
            name="Data sets"
            heading={<Title order={2}>Data sets named by the script</Title>}
            columns={INPUTS}
            rows={run.inputs}
            rowId={({ name, digest }) => `${name} ${digest}`}
            pageSize={8}
          />
        </Card>
      )}
      {run.models.length > 0 && (
        <Card label="Logged models">
          <DataTable
            name="Logged models"
            heading={<Title order={2}>Logged models</Title>}
            columns={MODELS}
            rows={run.models}
            rowId={({ model, direction }) => `${model} ${direction}`}
            pageSize={8}
            minWidth={280}
          />
        </Card>
      )}
    </SimpleGrid>
  );
}
