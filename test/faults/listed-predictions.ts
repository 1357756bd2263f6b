import { until } from './server-process.ts';
import type { HttpClient } from './http-client.ts';
import type { Ledger } from './ledger.ts';
import { ENDPOINT } from './prepared-state.ts';
import type { StoredPrediction } from './stored-records.ts';

interface Listed {
  readonly requestId: string;
  readonly status: number;
  readonly modelVersion: number;
  readonly routeRevision: number;
  readonly key: string | null;
  readonly inputs: readonly { readonly name: string; readonly data: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[] | null;
}

interface Page {
  readonly items: readonly Listed[];
  readonly nextCursor: string | null;
}

/** Holds the ledger against the API's list, once the first flush after the start is done. */
export async function checkListed(client: HttpClient, ledger: Ledger): Promise<void> {
  await until('everything left behind is in the table', async () => {
    const log = await client.json<{ lastFlushAt: string | null; lastFlushError: string | null }>(
      'GET',
      '/api/v1/predictions/log',
    );
    return log.lastFlushAt !== null && log.lastFlushError === null;
  });
  ledger.check(await listedPredictions(client));
}

export async function listedPredictions(client: HttpClient): Promise<readonly StoredPrediction[]> {
  const found: StoredPrediction[] = [];
  let cursor: string | null = null;
  do {
    const query = `limit=1000${cursor === null ? '' : `&cursor=${cursor}`}`;
    const path = `/api/v1/endpoints/${ENDPOINT}/predictions?${query}`;
    const page: Page = await client.json<Page>('GET', path);
    found.push(...page.items.map(toStored));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

function toStored(listed: Listed): StoredPrediction {
  const { requestId, status, modelVersion, routeRevision, key, inputs, outputs } = listed;
  return {
    requestId,
    status,
    version: modelVersion,
    revision: routeRevision,
    key,
    inputs: inputs.find(({ name }) => name === 'x')?.data ?? [],
    score: outputs?.find(({ name }) => name === 'score')?.data[0] ?? null,
  };
}
