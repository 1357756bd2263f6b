import { hash } from 'node:crypto';
import type { KvChange, KvReader, KvWriter } from '../../platform/kv/port.ts';
import type { IndexedKeys } from './indexed-keys.ts';

/** Where an answered request lies. */
export interface Indexed {
  readonly requestId: string;
  readonly endpoint: string;
  /** Table version whose commit added the row; null when only the whole table can be searched. */
  readonly tableVersion: number | null;
}

/** Written once everything in the tables is indexed; absent after the online store was lost. */
export const INDEX_COMPLETE = 'requests/complete';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Finds flushed requests by id or business key without touching a table: a cache in the online
 * store, written by the engine after each flush.
 */
export class RequestIndex {
  readonly #kv: KvReader;

  constructor(kv: KvReader) {
    this.#kv = kv;
  }

  byRequestId(requestId: string): Indexed | null {
    return this.#read(idKey(requestId));
  }

  byKey(endpoint: string, key: string): Indexed | null {
    return this.#read(businessKey(endpoint, key));
  }

  /** Whether any request of the endpoint has a business key. */
  hasKeys(endpoint: string): boolean {
    const from = `requests/key/${endpoint}/`;
    const to = `requests/key/${endpoint}0`;
    return this.#kv.range({ from, to, limit: 1 }).length > 0;
  }

  #read(key: string): Indexed | null {
    const value = this.#kv.get(key);
    return value === null ? null : (JSON.parse(decoder.decode(value)) as Indexed);
  }
}

/** Enters requests; a later request with the same id or key takes the place of a former. */
export async function indexRequests(
  on: { readonly index: KvWriter; readonly indexed: IndexedKeys },
  requests: readonly (Indexed & { readonly key: string | null })[],
): Promise<void> {
  const changes: KvChange[] = [];
  for (const { requestId, endpoint, tableVersion, key } of requests) {
    const indexed: Indexed = { requestId, endpoint, tableVersion };
    const value = encoder.encode(JSON.stringify(indexed));
    changes.push({ key: idKey(requestId), value });
    if (key !== null) changes.push({ key: businessKey(endpoint, key), value });
  }
  await on.index.apply(changes);
  for (const { endpoint, key } of requests) if (key !== null) on.indexed.add(endpoint, key);
}

function idKey(requestId: string): string {
  return `requests/id/${requestId}`;
}

/** Business keys may be longer than the store's keys, so their hash stands for them. */
function businessKey(endpoint: string, key: string): string {
  return `requests/key/${endpoint}/${hash('sha256', key, 'base64url')}`;
}
