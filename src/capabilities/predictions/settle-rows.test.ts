import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { REFUSALS_MAX, settleRows, type PendingRow, type RowSink } from './settle-rows.ts';

type Kind = 'good' | 'named' | 'unnamed' | 'unreadable' | 'unexplained';

interface Row extends PendingRow {
  readonly kind: Kind;
}

function rowsOf(kinds: readonly Kind[], first = 0): Row[] {
  return kinds.map((kind, index) => ({
    seq: first + index * 3,
    kind,
    line: kind === 'unreadable' ? null : '{}',
    unreadable: kind === 'unreadable' ? 'broken' : null,
  }));
}

class Killed extends Error {
  readonly code = 'KILLED';
}

/** A table that takes good rows only, and a quarantine, that die when their time has come. */
class Table implements RowSink<Row> {
  readonly added: number[] = [];
  readonly refused: number[] = [];
  newest = -1;
  stepsLeft = Infinity;
  /** What every append fails with. */
  trouble: Error | null = null;
  readonly #tries = new Map<number, number>();

  async append(rows: readonly Row[], seq: number): Promise<void> {
    this.#step();
    if (this.trouble !== null) throw this.trouble;
    const named = rows.findIndex(({ kind }) => kind === 'named');
    if (named !== -1) {
      const details = { line: named + 1 };
      throw new AppError('INVALID_INPUT', `Line ${named + 1}: no.`, { details });
    }
    if (rows.some(({ kind }) => kind === 'unnamed')) throw new AppError('INVALID_INPUT', 'no');
    if (rows.some(({ kind }) => kind === 'unexplained')) throw new Error('who knows');
    expect(rows.every(({ seq: one }) => one > this.newest && one <= seq)).toBe(true);
    this.added.push(...rows.map((row) => row.seq));
    this.newest = seq;
    this.#step();
  }

  async refuse({ seq }: Row, reason: string): Promise<void> {
    this.#step();
    expect(reason).not.toBe('');
    if (!this.refused.includes(seq)) this.refused.push(seq);
    this.#step();
  }

  isToBlame({ seq }: Row): boolean {
    const tries = (this.#tries.get(seq) ?? 0) + 1;
    this.#tries.set(seq, tries);
    return tries >= 3;
  }

  #step(): void {
    this.stepsLeft -= 1;
    if (this.stepsLeft < 0) throw new Killed();
  }
}

/** As flushes do it: again from what is not settled, until nothing is left. */
async function settleAll(table: Table, rows: readonly Row[], flushes: number): Promise<void> {
  for (let flush = 0; flush < flushes; flush += 1) {
    try {
      await settleRows(
        rows.filter(({ seq }) => seq > table.newest),
        table,
      );
      return;
    } catch {
      table.stepsLeft = Infinity;
    }
  }
}

const kinds = fc.array(
  fc.constantFrom<Kind>('good', 'good', 'good', 'named', 'unnamed', 'unreadable', 'unexplained'),
  { maxLength: 40 },
);

test('adds good rows once and in order, and puts the others aside, wherever it dies', async () => {
  await fc.assert(
    fc.asyncProperty(kinds, fc.nat({ max: 60 }), async (given, dies) => {
      const table = new Table();
      table.stepsLeft = dies;
      const rows = rowsOf(given);
      await settleAll(table, rows, 200);
      const of = (isGood: boolean): number[] =>
        rows.filter(({ kind }) => (kind === 'good') === isGood).map(({ seq }) => seq);
      expect(table.added).toEqual(of(true));
      expect(table.refused.toSorted((a, b) => a - b)).toEqual(of(false));
    }),
  );
});

test.each([
  ['a full disk', new AppError('DISK_FULL', 'no room')],
  ['other columns', new AppError('SCHEMA_MISMATCH', 'other columns')],
  ['no file descriptors', Object.assign(new Error('too many'), { code: 'EMFILE' })],
  ['no memory in DuckDB', new Error('Out of Memory Error: failed to allocate')],
  ['an aborted flush', new DOMException('aborted', 'AbortError')],
])('puts nothing aside for %s', async (_, trouble) => {
  const table = new Table();
  table.trouble = trouble;
  await expect(settleRows(rowsOf(['good', 'good']), table)).rejects.toBe(trouble);
  expect(table).toMatchObject({ added: [], refused: [] });
});

test('waits with a failure that nothing explains until a row has had it three times', async () => {
  const table = new Table();
  const rows = rowsOf(['good', 'unexplained', 'good']);
  for (const refused of [[], [], [3]]) {
    await settleAll(table, rows, 1);
    expect(table.refused).toEqual(refused);
  }
  expect(table.added).toEqual([0, 6]);
});

test('puts aside a bounded number of rows at a time, and gets on all the same', async () => {
  const table = new Table();
  const rows = rowsOf(Array.from({ length: 3 * REFUSALS_MAX }, () => 'named'));
  rows.push(...rowsOf(['good'], rows.length * 3));
  for (let flush = 1; flush <= 3; flush += 1) {
    await settleAll(table, rows, 1);
    expect(table.refused).toHaveLength(flush * REFUSALS_MAX);
  }
  expect(table.added).toEqual([rows.at(-1)!.seq]);
});
