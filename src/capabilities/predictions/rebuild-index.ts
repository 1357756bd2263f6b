import { AppError } from '../../base/errors.ts';
import { QUARANTINE } from './quarantine.ts';
import { INDEX_COMPLETE, indexRequests } from './request-index.ts';
import { PREDICTIONS } from './tables.ts';
import type { FlushDeps } from './flush.ts';

/** Rows indexed in one step: bounds the memory, and lets other tasks in between. */
const STEP_ROWS = 10_000;
/** Tables listed at a time. */
const TABLES = 1000;

/**
 * Indexes every row of the endpoints' tables when the online store is new or was lost. A mark says
 * that it is whole; flushes keep it so.
 */
export async function rebuildIndex(deps: FlushDeps): Promise<{ readonly indexed: number }> {
  if (deps.index.get(INDEX_COMPLETE) !== null) return { indexed: 0 };
  let indexed = 0;
  for (let after: string | undefined; ;) {
    const page = await deps.tables.list({
      ...(after === undefined ? {} : { after }),
      limit: TABLES,
    });
    for (const { namespace, name } of page) {
      if (namespace === PREDICTIONS) indexed += await indexTable(name, deps, PREDICTION_KEYS);
      if (namespace === QUARANTINE) indexed += await indexTable(name, deps, QUARANTINE_KEYS);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < TABLES) break;
    after = `${last.namespace}.${last.name}`;
  }
  await deps.index.apply([{ key: INDEX_COMPLETE, value: new Uint8Array([1]) }]);
  return { indexed };
}

/** Columns with the request id and, where there is one, the business key. */
interface Keys {
  readonly namespace: string;
  readonly columns: readonly string[];
}
const PREDICTION_KEYS: Keys = { namespace: PREDICTIONS, columns: ['request_id', 'key'] };
const QUARANTINE_KEYS: Keys = { namespace: QUARANTINE, columns: ['request_id'] };

async function indexTable(
  endpoint: string,
  deps: FlushDeps,
  { namespace, columns }: Keys,
): Promise<number> {
  const ref = { namespace, name: endpoint };
  try {
    const { version } = await deps.tables.describe(ref);
    for (let offset = 0; ; offset += STEP_ROWS) {
      const { rows } = await deps.tables.rows(ref, {
        version,
        columns,
        offset,
        limit: STEP_ROWS,
      });
      const requests = rows.flatMap(([requestId, key = null]) =>
        requestId === null
          ? []
          : {
              requestId: String(requestId),
              endpoint,
              // Which commit brought a row is not asked here; the search uses file statistics.
              tableVersion: null,
              key: key === null ? null : String(key),
            },
      );
      await indexRequests(deps, requests);
      if (rows.length < STEP_ROWS) return offset + rows.length;
    }
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return 0;
    throw thrown;
  }
}
