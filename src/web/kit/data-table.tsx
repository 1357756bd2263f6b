import { Button, Group, Pagination, Table, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconSearch, IconSelector } from '@tabler/icons-react';
import {
  columnFilteringFeature,
  createFilteredRowModel,
  createPaginatedRowModel,
  createSortedRowModel,
  filterFn_includesString,
  globalFilteringFeature,
  rowPaginationFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
  type Column as TableColumn,
  type ColumnDef,
  type ReactTable,
  type SortingState,
  type TableOptions,
} from '@tanstack/react-table';
import { useMemo, type ReactNode } from 'react';
import type { CsvValue } from '../../base/csv.ts';
import classes from './data-table.module.css';
import { formatCount } from './format.ts';
import { SaveCsv } from './save-csv.tsx';

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
  columnFilteringFeature,
  globalFilteringFeature,
  filteredRowModel: createFilteredRowModel(),
  filterFns: { includesString: filterFn_includesString },
  rowPaginationFeature,
  paginatedRowModel: createPaginatedRowModel(),
});
type Features = typeof features;

/** Rows shown at once unless the page says otherwise. */
const PAGE_SIZE = 25;

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** What the column sorts and filters by, and what the CSV file holds. */
  readonly value: (row: Row) => CsvValue;
  /** What the cell shows, where that is more than the value. */
  readonly cell?: (row: Row) => ReactNode;
  readonly isNumeric?: boolean;
  /** False where the server sorts and cannot sort by this column. */
  readonly canSort?: boolean;
  /** Holds a control and no value: the CSV file does without it. */
  readonly isControl?: boolean;
}

export interface SortedBy {
  readonly id: string;
  readonly desc: boolean;
}

export interface DataTableProps<Row> {
  /** Read to a screen reader and, as a file name, given to the CSV export. */
  readonly name: string;
  /** In line with the filter and the export. */
  readonly heading?: ReactNode;
  /** Rows shown at once; past them the table pages. */
  readonly pageSize?: number;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowId: (row: Row) => string;
  /** Width below which the table scrolls sideways, in pixels. */
  readonly minWidth?: number;
  /** Shows a box that keeps the rows containing its text. */
  readonly canFilter?: boolean;
  readonly sortedBy?: SortedBy;
  /**
   * For lists too long to be sorted here: the rows come in the order of `sortedBy`, and a header
   * asks for another (null: the server's own).
   */
  readonly onSort?: (by: SortedBy | null) => void;
  /** Rows the server has beyond the ones given. */
  readonly more?: {
    readonly hasMore: boolean;
    readonly isLoadingMore: boolean;
    readonly loadMore: () => void;
  };
  /** On the button that reads those. */
  readonly moreLabel?: string;
  /** Beside the filter and the export. */
  readonly controls?: ReactNode;
}

/** Rows that sort, filter, page and leave as CSV, all in the browser. */
export function DataTable<Row extends object>(props: DataTableProps<Row>): ReactNode {
  const { columns, rows, rowId, sortedBy, onSort, minWidth = 560, pageSize = PAGE_SIZE } = props;
  const data = useMemo(() => [...rows], [rows]);
  const defs = useMemo(() => columns.map(columnDef), [columns]);
  const sorting: SortingState = sortedBy === undefined ? [] : [sortedBy];
  const table = useTable<Features, Row>({
    features,
    columns: defs,
    data,
    getRowId: rowId,
    globalFilterFn: 'includesString',
    getColumnCanGlobalFilter: () => true,
    autoResetPageIndex: false,
    initialState: { sorting, pagination: { pageIndex: 0, pageSize } },
    ...(onSort === undefined ? {} : serverSorting(sorting, onSort)),
  });
  const isNumeric = new Set(columns.filter((c) => c.isNumeric === true).map((c) => c.id));
  return (
    <div>
      <Toolbar {...props} table={table} />
      <Table.ScrollContainer minWidth={minWidth} type="native">
        <Table aria-label={props.name} className={classes['table']} highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              {table.getHeaderGroups()[0]?.headers.map((header) => (
                <HeaderCell
                  key={header.id}
                  column={header.column}
                  isNumeric={isNumeric.has(header.id)}
                />
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {table.getRowModel().rows.map((row) => (
              <Table.Tr key={row.id}>
                {row.getAllCells().map((cell) => (
                  <Table.Td key={cell.id} data-numeric={isNumeric.has(cell.column.id) || undefined}>
                    <table.FlexRender cell={cell} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Footer
        table={table}
        more={props.more}
        moreLabel={props.moreLabel ?? 'Read older'}
        total={rows.length}
      />
    </div>
  );
}

function serverSorting(
  sorting: SortingState,
  onSort: (by: SortedBy | null) => void,
): Pick<TableOptions<Features, object>, 'manualSorting' | 'onSortingChange' | 'state'> {
  return {
    manualSorting: true,
    state: { sorting },
    onSortingChange: (change) => {
      const [by] = typeof change === 'function' ? change(sorting) : change;
      onSort(by ?? null);
    },
  };
}

function columnDef<Row extends object>(column: Column<Row>): ColumnDef<Features, Row> {
  const { value, cell, canSort = true, isNumeric = false } = column;
  return {
    id: column.id,
    header: column.header,
    // What is missing comes last whichever way the rest is sorted.
    accessorFn: (row) => value(row) ?? undefined,
    enableSorting: canSort,
    // By chunks of digits 0.05 would come before 0.1, but 0.123 after 0.5.
    sortFn: isNumeric ? 'basic' : 'alphanumeric',
    sortUndefined: 'last',
    cell: (context) => cell?.(context.row.original) ?? plain(value(context.row.original)),
  };
}

function plain(value: CsvValue): ReactNode {
  if (value === null) return <Text span inherit c="dimmed" children="–" />;
  return typeof value === 'number' ? formatCount(value) : String(value);
}

interface HeaderCellProps<Row extends object> {
  readonly column: TableColumn<Features, Row>;
  readonly isNumeric: boolean;
}

function HeaderCell<Row extends object>({ column, isNumeric }: HeaderCellProps<Row>): ReactNode {
  if (!column.getCanSort()) {
    return (
      <Table.Th data-numeric={isNumeric || undefined}>
        <span className={classes['sort']}>{String(column.columnDef.header)}</span>
      </Table.Th>
    );
  }
  const sorted = column.getIsSorted();
  const Icon = sorted === false ? IconSelector : sorted === 'asc' ? IconChevronUp : IconChevronDown;
  const ariaSort = sorted === false ? 'none' : sorted === 'asc' ? 'ascending' : 'descending';
  return (
    <Table.Th aria-sort={ariaSort} data-numeric={isNumeric || undefined}>
      <UnstyledButton
        className={classes['sort']}
        data-sorted={sorted !== false || undefined}
        onClick={column.getToggleSortingHandler()}
      >
        {String(column.columnDef.header)}
        <Icon size={13} aria-hidden />
      </UnstyledButton>
    </Table.Th>
  );
}

interface ToolbarProps<Row extends object> extends DataTableProps<Row> {
  readonly table: ReactTable<Features, Row>;
}

function Toolbar<Row extends object>(props: ToolbarProps<Row>): ReactNode {
  const { name, heading, columns, canFilter = false, controls, table } = props;
  const saved = columns.filter(({ isControl = false }) => !isControl);
  const savedRows = () =>
    table
      .getPrePaginatedRowModel()
      .rows.map(({ original }) => saved.map((column) => column.value(original)));
  return (
    <Group justify="space-between" gap="xs" mb="xs">
      <div>{heading}</div>
      <Group gap="xs">
        {controls}
        {canFilter && (
          <TextInput
            size="xs"
            data-search
            aria-label={`Filter ${name}`}
            placeholder="Filter"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={String(table.state.globalFilter ?? '')}
            onChange={(event) => {
              table.setGlobalFilter(event.currentTarget.value);
              table.setPageIndex(0);
            }}
          />
        )}
        <SaveCsv
          name={name}
          header={saved.map(({ header }) => header)}
          rows={savedRows}
          isDisabled={props.rows.length === 0}
        />
      </Group>
    </Group>
  );
}

interface FooterProps<Row extends object> {
  readonly table: ReactTable<Features, Row>;
  readonly more: DataTableProps<Row>['more'] | undefined;
  readonly moreLabel: string;
  readonly total: number;
}

function Footer<Row extends object>(props: FooterProps<Row>): ReactNode {
  const { table, more, moreLabel, total } = props;
  const shown = table.getPrePaginatedRowModel().rows.length;
  const pages = Math.max(1, table.getPageCount());
  const page = Math.min(table.state.pagination.pageIndex + 1, pages);
  const hasMore = more?.hasMore === true;
  if (total === 0 || (pages === 1 && !hasMore && shown === total)) return null;
  const { pageSize } = table.state.pagination;
  const first = shown === 0 ? 0 : (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, shown);
  return (
    <Group justify="space-between" mt="xs" gap="xs">
      <Text size="xs" c="dimmed" aria-live="polite">
        {`${formatCount(first)}–${formatCount(last)} of ${formatCount(shown)}`}
        {shown !== total && ` (filtered from ${formatCount(total)})`}
        {hasMore && ' read so far'}
      </Text>
      <Group gap="xs">
        {hasMore && (
          <Button
            size="compact-xs"
            variant="subtle"
            loading={more.isLoadingMore}
            onClick={more.loadMore}
          >
            {moreLabel}
          </Button>
        )}
        {pages > 1 && (
          <Pagination
            size="xs"
            total={pages}
            value={page}
            onChange={(next) => {
              table.setPageIndex(next - 1);
            }}
            getControlProps={(control) => ({ 'aria-label': `${control} page` })}
          />
        )}
      </Group>
    </Group>
  );
}
