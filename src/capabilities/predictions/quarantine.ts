import { AppError } from '../../base/errors.ts';
import { formatInstant, type Clock } from '../../base/time.ts';
import type { Column } from '../tables/contract.ts';
import type { DeltaTables, TableRef } from '../tables/delta-tables.ts';

/** Namespace of the tables that keep what the endpoints' own tables refused. */
export const QUARANTINE = 'quarantine';

/** `quarantine.<endpoint>`: a row a record, as it was in the journal, and why it is here. */
const QUARANTINE_COLUMNS: readonly Column[] = [
  { name: 'request_id', type: 'string', nullable: true },
  { name: 'kind', type: 'string', nullable: false },
  { name: 'reason', type: 'string', nullable: false },
  { name: 'refused_wall', type: 'timestamp', nullable: false },
  { name: 'record', type: 'string', nullable: false },
  { name: 'journal', type: 'string', nullable: false },
  { name: 'seq', type: 'long', nullable: false },
];

export interface RefusedRecord {
  readonly endpoint: string;
  readonly kind: 'prediction' | 'label';
  readonly requestId: string | null;
  readonly reason: string;
  readonly journal: string;
  readonly seq: number;
}

/** Keeps records that their table does not take, each once, where everybody can read them. */
export class Quarantine {
  readonly #tables: DeltaTables;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(deps: { readonly tables: DeltaTables; readonly clock: Pick<Clock, 'wall'> }) {
    this.#tables = deps.tables;
    this.#clock = deps.clock;
  }

  /** Durable on return; false when it was there already, from a flush that died. */
  async put(refused: RefusedRecord & { readonly payload: string }): Promise<boolean> {
    const { endpoint, kind, requestId, reason, journal, seq, payload } = refused;
    const ref = refOf(endpoint);
    await this.#tables.ensure(ref, QUARANTINE_COLUMNS);
    // There is one flush at a time, so that nothing comes in between.
    const { rows } = await this.#tables.find(ref, {
      where: [
        { column: 'seq', comparison: '=', value: seq },
        { column: 'journal', comparison: '=', value: journal },
      ],
      columns: ['seq'],
      limit: 1,
    });
    if (rows.length > 0) return false;
    const row = {
      request_id: requestId?.toWellFormed() ?? null,
      kind,
      reason: reason.toWellFormed(),
      refused_wall: formatInstant(this.#clock.wall()),
      record: payload.toWellFormed(),
      journal,
      seq,
    };
    await this.#tables.append({ ...ref, ndjson: Buffer.from(`${JSON.stringify(row)}\n`) });
    return true;
  }

  /** The newest refused prediction with this request id. */
  async find(
    endpoint: string,
    requestId: string,
    signal: AbortSignal,
  ): Promise<{ readonly record: string; readonly reason: string; readonly seq: number } | null> {
    try {
      const { rows } = await this.#tables.find(refOf(endpoint), {
        where: [
          { column: 'request_id', comparison: '=', value: requestId },
          { column: 'kind', comparison: '=', value: 'prediction' },
        ],
        orderBy: { column: 'seq', descending: true },
        columns: ['record', 'reason', 'seq'],
        limit: 1,
        signal,
      });
      const [found] = rows;
      if (found === undefined) return null;
      return { record: String(found[0]), reason: String(found[1]), seq: Number(found[2]) };
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
      throw thrown;
    }
  }
}

function refOf(endpoint: string): TableRef {
  return { namespace: QUARANTINE, name: endpoint };
}
