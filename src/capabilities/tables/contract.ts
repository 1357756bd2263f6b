import { z } from 'zod';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** A namespace or table name: a lowercase identifier, so that it is a safe folder and SQL name. */
export const TableName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,62}$/,
    'lowercase letters, digits and _, starting with a letter, at most 63',
  );

/** Tables of these are written by Millwright itself: predictions and their labels. */
export const RESERVED_NAMESPACES: readonly string[] = [
  'predictions',
  'labels',
  'quarantine',
  'training_sets',
];

/** Column types, spelled as the Delta protocol spells them. */
export const ColumnType = z.enum([
  'string',
  'long',
  'integer',
  'double',
  'float',
  'boolean',
  'timestamp',
  'date',
  'binary',
]);
export type ColumnType = z.infer<typeof ColumnType>;

/** Columns are many in feature tables; past this a table is a mistake, and stats become the log. */
export const COLUMNS_MAX = 2000;

export const Column = z.object({
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\s,;{}()=]+$/, 'no spaces or any of ,;{}()='),
  type: ColumnType,
  nullable: z.boolean().default(true),
});
export type Column = z.infer<typeof Column>;

/** One append's rows: NDJSON up to this many bytes. */
export const APPEND_BYTES_MAX = 64 * 1024 * 1024;
/** The content type of a Parquet append; any other is taken for NDJSON. */
export const PARQUET_TYPE = 'application/vnd.apache.parquet';
/** One append's rows as Parquet, which wait on disk: tens of millions of the usual width. */
export const PARQUET_BYTES_MAX = 512 * 1024 * 1024;
/** How long a batch id is remembered: a client may repeat an append safely for this long. */
export const BATCH_EXPIRY_HOURS = 7 * 24;
/** Rows one read returns at most. */
export const ROWS_MAX = 10_000;
/** Rows a difference shows of each side at most: they are there to be looked at. */
export const DIFFERENCE_ROWS_MAX = 1000;
/** Commits between two versions that are compared: reading them takes seconds. */
export const DIFFERENCE_COMMITS_MAX = 20_000;

export const Table = z.object({
  namespace: TableName,
  name: TableName,
  columns: z.array(Column),
  version: z.number().int(),
  rows: z.number().int(),
  files: z.number().int(),
  sizeBytes: z.number().int(),
  createdAt: z.string(),
  /** Folder of the Delta table, absolute: any Delta reader on this machine can open it. */
  location: z.string(),
});
export type Table = z.infer<typeof Table>;

/** Who made a commit, as far as its writer noted it. */
const CommitOrigin = {
  /** The person or program that asked for it. */
  user: z.string().nullable(),
  /** The stream whose batch it holds, such as `journal/main` or `stream:nightly`. */
  app: z.string().nullable(),
  /** What wrote it: `Millwright`, or another engine. */
  engine: z.string().nullable(),
};

export const Commit = z.object({
  version: z.number().int(),
  committedAt: z.string(),
  operation: z.string(),
  rowsAdded: z.number().int(),
  /** Of the files it removed; null when nobody counted them. */
  rowsRemoved: z.number().int().nullable(),
  filesAdded: z.number().int(),
  filesRemoved: z.number().int(),
  /** False for a commit that only moved rows to other files or changed the description. */
  changesRows: z.boolean(),
  changesColumns: z.boolean(),
  ...CommitOrigin,
});
export type Commit = z.infer<typeof Commit>;

/** Who made a commit, in a word: a person, else the stream it belongs to, else what wrote it. */
export function committedBy({
  user,
  app,
  engine,
}: Pick<Commit, 'user' | 'app' | 'engine'>): string {
  return user ?? app ?? engine ?? '';
}

const TableParams = z.object({ namespace: TableName, name: TableName });

export const TableListItem = z.object({
  namespace: TableName,
  name: TableName,
  createdAt: z.string(),
  version: z.number().int(),
  /** Null where another engine left rows uncounted; asking for the table counts them. */
  rows: z.number().int().nullable(),
  files: z.number().int(),
  sizeBytes: z.number().int(),
  /** The newest commit; null when log cleanup removed it. */
  lastChange: z
    .object({ committedAt: z.string(), operation: z.string(), ...CommitOrigin })
    .nullable(),
});
export type TableListItem = z.infer<typeof TableListItem>;

export const AppendReply = z.object({
  /** The version that holds the batch. */
  version: z.number().int(),
  /** Rows added by this call. */
  rows: z.number().int(),
  /** True when this batch was already in: nothing was added now. */
  duplicate: z.boolean(),
});
export type AppendReply = z.infer<typeof AppendReply>;

/**
 * Rows as JSON: timestamps RFC 3339 in UTC, dates `YYYY-MM-DD`, binary base64, NaN and infinities
 * by name, longs past 2^53 as text; the same forms are taken by an append, but for longs, which are
 * numbers there.
 */
export const RowsReply = z.object({
  version: z.number().int(),
  columns: z.array(Column),
  rows: z.array(z.array(z.unknown())),
});
export type RowsReply = z.infer<typeof RowsReply>;

const Rows = z.array(z.array(z.unknown()));

/** How one version of a table differs from an older one. */
export const TableDifference = z.object({
  from: z.number().int(),
  to: z.number().int(),
  columns: z.object({
    added: z.array(Column),
    removed: z.array(Column),
    changed: z.array(z.object({ from: Column, to: Column })),
  }),
  rowsAdded: z.number().int(),
  rowsRemoved: z.number().int(),
  /**
   * Null when the rows were compared. Else why not: the counts are those of whole files, with rows
   * that are in both versions among them, and no row is shown.
   */
  notCompared: z.string().nullable(),
  /** What rows are compared and shown by: the newer version's columns, but for changed types. */
  rowColumns: z.array(Column),
  /** Some rows of each side, in the form of `RowsReply`; one that came twice may stand once. */
  addedRows: Rows,
  removedRows: Rows,
});
export type TableDifference = z.infer<typeof TableDifference>;

export const listTables = route({
  id: 'tables.list',
  method: 'GET',
  path: '/api/v1/tables',
  summary: 'List tables',
  query: PageQuery,
  reply: pageOf(TableListItem),
});

export const createTable = route({
  id: 'tables.create',
  method: 'POST',
  path: '/api/v1/tables',
  summary: 'Create an empty Delta table',
  body: z.strictObject({
    namespace: TableName,
    name: TableName,
    columns: z.array(Column).min(1).max(COLUMNS_MAX),
  }),
  reply: Table,
  status: 201,
});

export const parquetColumns = route({
  id: 'tables.columns',
  method: 'POST',
  path: '/api/v1/tables/columns',
  summary:
    'The columns a table needs to take the rows of a Parquet file, of which the end suffices',
  bodyType: 'stream',
  reply: z.object({ columns: z.array(Column) }),
});

export const getTable = route({
  id: 'tables.get',
  method: 'GET',
  path: '/api/v1/tables/:namespace/:name',
  summary: 'Describe a table, at its newest or a given version',
  params: TableParams,
  query: z.object({ version: z.coerce.number().int().min(0).optional() }),
  reply: Table,
});

export const appendRows = route({
  id: 'tables.append',
  method: 'POST',
  path: '/api/v1/tables/:namespace/:name/rows',
  summary:
    'Append rows (NDJSON or Parquet); repeating a batch id or a stream sequence adds nothing',
  params: TableParams,
  query: z.object({
    /** Any text unique to this batch; remembered for BATCH_EXPIRY_HOURS. */
    batch: z.string().min(1).max(200).optional(),
    /** A declared client stream: batches carry rising `sequence` numbers, kept for ever. */
    stream: z
      .string()
      .regex(/^[A-Za-z0-9._:/-]{1,200}$/)
      .optional(),
    sequence: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  }),
  bodyType: 'stream',
  reply: AppendReply,
});

export const readRows = route({
  id: 'tables.rows',
  method: 'GET',
  path: '/api/v1/tables/:namespace/:name/rows',
  summary: 'Read rows of the newest or a given version',
  params: TableParams,
  query: z.object({
    version: z.coerce.number().int().min(0).optional(),
    limit: z.coerce.number().int().min(1).max(ROWS_MAX).default(100),
    offset: z.coerce.number().int().min(0).default(0),
  }),
  reply: RowsReply,
});

export const tableHistory = route({
  id: 'tables.history',
  method: 'GET',
  path: '/api/v1/tables/:namespace/:name/history',
  summary: 'Commits of a table, newest first',
  params: TableParams,
  query: PageQuery,
  reply: pageOf(Commit),
});

export const diffTable = route({
  id: 'tables.diff',
  method: 'GET',
  path: '/api/v1/tables/:namespace/:name/diff',
  summary: 'How a version differs from an older one: columns, counts of rows, and some rows',
  params: TableParams,
  query: z.object({
    /** Default: the version before `to`. */
    from: z.coerce.number().int().min(0).optional(),
    /** Default: the newest. */
    to: z.coerce.number().int().min(0).optional(),
    /** Rows shown of each side. */
    limit: z.coerce.number().int().min(0).max(DIFFERENCE_ROWS_MAX).default(20),
  }),
  reply: TableDifference,
});
