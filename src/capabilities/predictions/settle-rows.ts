import { AppError, toAppError } from '../../base/errors.ts';

/** A journaled row on its way into its table. */
export interface PendingRow {
  readonly seq: number;
  /** Its JSON; null when the record cannot be made one, and `unreadable` says why. */
  readonly line: string | null;
  readonly unreadable: string | null;
}

/** Where rows of one stream go. */
export interface RowSink<Row extends PendingRow> {
  /** Adds the rows, all or none, and notes that the stream is settled through `seq`. */
  append(rows: readonly Row[], seq: number): Promise<void>;
  /** Puts aside a row that the table does not take; durable on return, once however often asked. */
  refuse(row: Row, reason: string): Promise<void>;
  /** Whether a failure that nothing explains has befallen this row alone often enough. */
  isToBlame(row: Row): boolean;
}

/** Rows of a table put aside in one flush: with more it is likelier the table that is wrong. */
export const REFUSALS_MAX = 100;

/**
 * Settles rows in the order of their numbers: each is added or put aside, exactly once. A row is
 * put aside before anything later is added, so a crash repeats what was not settled and loses none.
 * Rejects for what concerns the table or the machine; then the rest waits.
 */
export async function settleRows<Row extends PendingRow>(
  rows: readonly Row[],
  sink: RowSink<Row>,
): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  await new Settling(sink).settle(rows, last.seq);
}

class Settling<Row extends PendingRow> {
  readonly #sink: RowSink<Row>;
  #refusals = 0;

  constructor(sink: RowSink<Row>) {
    this.#sink = sink;
  }

  /** `through` is the number up to which nothing is open once these rows are settled. */
  async settle(rows: readonly Row[], through: number): Promise<void> {
    let rest = rows;
    for (;;) {
      const unreadable = rest.findIndex(({ line }) => line === null);
      if (unreadable !== -1) {
        rest = await this.#without(rest, unreadable, rest[unreadable]!.unreadable ?? 'unreadable');
        continue;
      }
      try {
        await this.#sink.append(rest, through);
        return;
      } catch (thrown) {
        const blamed = blamedFor(thrown);
        if (blamed === 'table') throw thrown;
        const reason = toAppError(thrown).message;
        if (typeof blamed === 'number' && blamed < rest.length) {
          rest = await this.#without(rest, blamed, reason);
        } else if (rest.length === 1) {
          if (blamed === 'unknown' && !this.#sink.isToBlame(rest[0]!)) throw thrown;
          rest = await this.#without(rest, 0, reasonOf(thrown));
        } else {
          const half = rest.length >> 1;
          await this.settle(rest.slice(0, half), rest[half - 1]!.seq);
          rest = rest.slice(half);
        }
      }
    }
  }

  async #without(rows: readonly Row[], index: number, reason: string): Promise<readonly Row[]> {
    const row = rows[index]!;
    if (this.#refusals >= REFUSALS_MAX) {
      // What comes before is settled, so that the next flush goes on from here.
      const before = rows.slice(0, index);
      if (before.every(({ line }) => line !== null)) await this.#sink.append(before, row.seq - 1);
      throw new AppError('INVALID_INPUT', `More than ${REFUSALS_MAX} rows are refused: ${reason}`);
    }
    this.#refusals += 1;
    await this.#sink.refuse(row, reason);
    return [...rows.slice(0, index), ...rows.slice(index + 1)];
  }
}

/**
 * Who is to blame for a failed append: a row, by its index; some row; perhaps a row, for nothing
 * explains it; or the table and the machine it is on.
 */
function blamedFor(thrown: unknown): number | 'row' | 'unknown' | 'table' {
  if (thrown instanceof AppError) {
    if (thrown.code !== 'INVALID_INPUT') return 'table';
    const line = thrown.details?.['line'];
    return typeof line === 'number' ? line - 1 : 'row';
  }
  const { code, name, message } = thrown as { code?: unknown; name?: unknown; message?: unknown };
  if (typeof code === 'string' || name === 'AbortError') return 'table';
  // DuckDB's own words for a machine that is short of something.
  if (/^(IO|Out of Memory|Interrupt)/i.test(String(message))) return 'table';
  return 'unknown';
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
