import type { KvChange, KvReader, KvWriter } from '../../platform/kv/port.ts';
import type { DeclaredLabel } from './declared-labels.ts';

/** How far a label's source is joined, in the online store together with what each request got. */
export interface LabelProgress {
  /** What is joined, as text: of another table or declaration nothing is joined yet. */
  readonly identity: string;
  /** Version of the source's table; -1 until all of it was read once. */
  readonly version: number;
  /** Number of the last row put into `labels.<endpoint>`. */
  readonly seq: number;
  /** Rows read; those that gave a request its first label, and another one. */
  readonly rows: number;
  readonly matched: number;
  readonly corrected: number;
  /** Rows that match no request, those that wait for theirs included. */
  readonly orphans: number;
  /** When the newest event occurred, microseconds. */
  readonly newestAt: number | null;
  /** Version after which everything that waits for its request was added. */
  readonly waitingSince: number;
}

/** A label's value, as JSON has it. */
export type LabelValue = number | boolean | string;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Keys removed at once. */
const CLEAR_KEYS = 2000;

/** The label of one endpoint in the online store: a cache, made again from the tables when lost. */
export class LabelProgressStore {
  readonly #kv: KvWriter;
  readonly #endpoint: string;

  constructor(kv: KvWriter, endpoint: string) {
    this.#kv = kv;
    this.#endpoint = endpoint;
  }

  read(identity: string): LabelProgress | null {
    const progress = readProgress(this.#kv, this.#endpoint);
    return progress?.identity === identity ? progress : null;
  }

  /** The last label of a request; null without one. */
  valueOf(requestId: string): LabelValue | null {
    const value = this.#kv.get(this.#valueKey(requestId));
    return value === null ? null : (JSON.parse(decoder.decode(value)) as LabelValue);
  }

  /** Notes labels of requests and the progress in one change. */
  async apply(values: ReadonlyMap<string, LabelValue>, progress: LabelProgress): Promise<void> {
    const changes: KvChange[] = [...values].map(([requestId, value]) => ({
      key: this.#valueKey(requestId),
      value: encoder.encode(JSON.stringify(value)),
    }));
    const value = encoder.encode(JSON.stringify(progress));
    changes.push({ key: progressKey(this.#endpoint), value });
    await this.#kv.apply(changes);
  }

  /** Forgets everything; the progress first, so that half of it is taken for nothing. */
  async clear(): Promise<void> {
    await this.#kv.apply([{ key: progressKey(this.#endpoint), value: null }]);
    const from = `labels/of/${this.#endpoint}/`;
    const bounds = { from, to: `${from.slice(0, -1)}0`, limit: CLEAR_KEYS };
    for (;;) {
      const found = this.#kv.range(bounds);
      if (found.length === 0) return;
      await this.#kv.apply(found.map(({ key }) => ({ key, value: null })));
    }
  }

  #valueKey(requestId: string): string {
    return `labels/of/${this.#endpoint}/${requestId}`;
  }
}

function readProgress(kv: Pick<KvReader, 'get'>, endpoint: string): LabelProgress | null {
  const value = kv.get(progressKey(endpoint));
  return value === null ? null : (JSON.parse(decoder.decode(value)) as LabelProgress);
}

function progressKey(endpoint: string): string {
  return `labels/at/${endpoint}`;
}

/** Equal when what was joined is still what is to be joined. */
export function identityOf(label: DeclaredLabel, tableId: string): string {
  const { name, table, idColumn, timeColumn, valueColumn } = label;
  return JSON.stringify([
    name,
    table.namespace,
    table.name,
    tableId,
    idColumn,
    timeColumn,
    valueColumn,
  ]);
}
