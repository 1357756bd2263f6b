import { Button, EmptyState, Group, Text, Title } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable } from '../../../web/kit/data-table.tsx';
import { formatCount } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { readRows, type Table } from '../contract.ts';
import { cellColumns, LeftOut } from './table-cells.tsx';

/** Rows read at once; documents of logged requests make them long. */
const ROWS_A_PAGE = 50;

/** Rows of the version that the page shows, some at a time, in the order they were added. */
export function RowsSection({ table }: { readonly table: Table }): ReactNode {
  const { namespace, name, version } = table;
  const { skip = 0 } = useSearch({ from: '/tables/$table' });
  const query = { version, limit: ROWS_A_PAGE, offset: skip };
  const found = useRoute(readRows, { params: { namespace, name }, query });
  const full = `${namespace}.${name}`;
  if (table.rows === 0) return <NoRows table={full} />;
  return (
    <Loaded query={found} height={300}>
      {({ columns, rows }) => (
        <Card label="Rows">
          <DataTable
            name={`Rows of ${full} version ${version}`}
            heading={<Title order={2}>{`Rows of version ${formatCount(version)}`}</Title>}
            columns={cellColumns(columns)}
            rows={rows.map((cells, index) => ({ index: skip + index, cells }))}
            rowId={({ index }) => String(index)}
            pageSize={10}
            minWidth={Math.max(560, Math.min(columns.length, 40) * 110)}
            controls={<Skip skip={skip} read={rows.length} total={table.rows} />}
          />
          <LeftOut columns={columns} />
        </Card>
      )}
    </Loaded>
  );
}

interface SkipProps {
  readonly skip: number;
  readonly read: number;
  readonly total: number;
}

function Skip({ skip, read, total }: SkipProps): ReactNode {
  const navigate = useNavigate({ from: '/tables/$table' });
  const go = (to: number): void => {
    void navigate({
      search: (former) => ({ ...former, skip: to === 0 ? undefined : to }),
      resetScroll: false,
    });
  };
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed" aria-live="polite">
        {`${formatCount(skip + 1)}–${formatCount(skip + read)} of ${formatCount(total)}`}
      </Text>
      <Button
        size="xs"
        variant="default"
        disabled={skip === 0}
        onClick={() => go(Math.max(0, skip - ROWS_A_PAGE))}
      >
        Former
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={skip + read >= total}
        onClick={() => go(skip + ROWS_A_PAGE)}
      >
        {`Next ${ROWS_A_PAGE}`}
      </Button>
    </Group>
  );
}

function NoRows({ table }: { readonly table: string }): ReactNode {
  return (
    <Section title="Rows">
      <EmptyState
        icon={<IconTable aria-hidden />}
        title="There is no row in this version"
        description="Append the rows of a file: Parquet, or one JSON object a line."
      >
        <CopyCode isBlock code={`millwright tables append ${table} FILE`} />
      </EmptyState>
    </Section>
  );
}
