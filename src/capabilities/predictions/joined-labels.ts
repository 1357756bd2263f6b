import { AppError } from '../../base/errors.ts';
import { formatInstant, micros } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { JoinInput } from './join-labels.ts';
import type { SourceRow } from './label-rows.ts';
import { LABEL_COLUMNS, LABELS } from './tables.ts';

/** A row of a source with the request that it is the label of. */
export interface JoinedRow {
  readonly requestId: string;
  readonly row: SourceRow;
}

/** Rows of `labels.<endpoint>` by what they say, and how many there are of each. */
export type JoinedCounts = Map<string, number>;

/** The rows that one label's source has in `labels.<endpoint>`. */
export class JoinedLabels {
  readonly #deps: {
    readonly tables: DeltaTables;
    readonly analytics: Pick<Analytics, 'select'>;
    readonly faults: Faults;
  };
  readonly #input: JoinInput;
  readonly #appId: string;
  #isThere = false;
  #newest = 0;

  constructor(
    deps: {
      readonly tables: DeltaTables;
      readonly analytics: Pick<Analytics, 'select'>;
      readonly faults: Faults;
    },
    input: JoinInput,
  ) {
    this.#deps = deps;
    this.#input = input;
    this.#appId = `join/${input.label.name}`;
  }

  /** Number of the last row. */
  get newest(): number {
    return this.#newest;
  }

  /** Rows with numbers past `seq`: those whose append was not noted. Null when there are none. */
  async after(seq: number): Promise<JoinedCounts | null> {
    const { tables, analytics } = this.#deps;
    this.#newest = seq;
    try {
      const newest = (await tables.txnVersion(this.#ref(), this.#appId)) ?? 0;
      if (newest <= seq) return null;
      this.#newest = newest;
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
      throw thrown;
    }
    const found: JoinedCounts = new Map();
    const past = { column: 'seq', comparison: '>', value: seq } as const;
    const { files, columns } = await tables.files(this.#ref(), undefined, [past]);
    const expressions = [
      'request_id',
      'value',
      'CAST(epoch_us(occurred_at) AS DOUBLE)',
      'journal',
      'CAST(seq AS DOUBLE)',
    ];
    for await (const piece of analytics.select({ files, columns, expressions })) {
      const [requestIds, values, times, journals, seqs] = piece as [
        readonly string[],
        readonly string[],
        readonly number[],
        readonly string[],
        readonly number[],
      ];
      for (const [index, requestId] of requestIds.entries()) {
        if (journals[index] !== this.#appId || seqs[index]! <= seq) continue;
        const says = saying(requestId, times[index]!, values[index]!);
        found.set(says, (found.get(says) ?? 0) + 1);
      }
    }
    return found;
  }

  /** Adds the rows, all or none, and numbers them on. */
  async append(rows: readonly JoinedRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { tables, faults } = this.#deps;
    if (!this.#isThere) await tables.ensure(this.#ref(), LABEL_COLUMNS);
    this.#isThere = true;
    const lines = rows.map((row, index) => this.#line(row, this.#newest + 1 + index));
    const version = this.#newest + rows.length;
    const ndjson = Buffer.from(lines.join(''));
    const txn = { appId: this.#appId, version };
    faults.hit('labels.before-append');
    const { isDuplicate } = await tables.append({ ...this.#ref(), ndjson, txn });
    faults.hit('labels.after-append');
    if (isDuplicate) {
      throw new AppError('COMMIT_CONFLICT', `Another process joins label ${this.#appId}.`, {
        hint: 'What it has added is found with the next attempt.',
      });
    }
    this.#newest = version;
  }

  #line({ requestId, row }: JoinedRow, seq: number): string {
    const { label, now, wall } = this.#input;
    const fields = {
      request_id: requestId,
      value: JSON.stringify(row.value),
      occurred_at: formatInstant(micros(row.time)),
      known_at: formatInstant(now),
      known_wall: formatInstant(wall),
      actor: `source:${label.name}`,
      journal: this.#appId,
      seq,
    };
    return `${JSON.stringify(fields)}\n`;
  }

  #ref() {
    return { namespace: LABELS, name: this.#input.label.endpoint };
  }
}

/** Takes one row out of the counts; false when it is not among them. */
export function takeJoined(counts: JoinedCounts | null, { requestId, row }: JoinedRow): boolean {
  if (counts === null) return false;
  const says = saying(requestId, row.time, JSON.stringify(row.value));
  const left = counts.get(says) ?? 0;
  if (left === 0) return false;
  counts.set(says, left - 1);
  return true;
}

function saying(requestId: string, time: number, value: string): string {
  return `${requestId} ${time} ${value}`;
}
