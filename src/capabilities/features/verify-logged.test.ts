import { expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import { formatInstant, micros } from '../../base/time.ts';
import { loggedVectors } from './verify-logged.ts';

const START = Date.parse('2001-02-01T00:00:00Z') * 1000;
const SECOND = 1_000_000;
const text = (name: string) => ({ name, type: 'string' as const, nullable: true });
const COLUMNS = [
  text('request_id'),
  { name: 'answered_at', type: 'timestamp' as const, nullable: false },
  ...['service', 'definition', 'entity', 'features', 'watermark'].map(text),
];

/** Answers of an endpoint, one by second; those of `vectors` rows are of a batch. */
async function logAnswers(
  { tables }: Lake,
  name: string,
  answers: readonly { readonly second: number; readonly vectors: number }[],
): Promise<void> {
  const ref = { namespace: 'predictions', name };
  await tables.ensure(ref, COLUMNS);
  const rows = answers.map(({ second, vectors }, index) => ({
    request_id: `${name}-${index}`,
    answered_at: formatInstant(micros(START + second * SECOND)),
    service: 'late_v1',
    definition: 'd',
    entity: JSON.stringify(Array.from({ length: vectors }, () => ({ origin: 'ORD' }))),
    features: JSON.stringify(Array.from({ length: vectors }, () => [second])),
    watermark: '{}',
  }));
  await tables.append({ ...ref, ndjson: ndjson(...rows) });
}

async function read(lake: Lake, vectorsMax: number) {
  const range = { from: micros(START), until: micros(START + 1000 * SECOND) };
  const { signal } = new AbortController();
  return await loggedVectors(lake, { service: 'late_v1', ...range }, signal, vectorsMax);
}

test('stops at so many vectors, however many rows and endpoints hold them', async () => {
  const lake = await openLake();
  const batches = Array.from({ length: 6 }, (_, second) => ({ second, vectors: 4 }));
  await logAnswers(lake, 'a', batches);
  await logAnswers(lake, 'b', batches);
  const { vectors, isPartial } = await read(lake, 10);
  expect(vectors.map(({ values }) => values[0])).toEqual([5, 5, 5, 5, 4, 4, 4, 4, 3, 3]);
  expect(isPartial).toBe(true);
});

test('reads every answer once, also of one instant and of several endpoints', async () => {
  const lake = await openLake();
  const seconds = [9, 8, 8, 8, 8, 8, 3, 2, 2, 1];
  const single = seconds.map((second) => ({ second, vectors: 1 }));
  await logAnswers(lake, 'a', single);
  await logAnswers(lake, 'b', single);
  const { vectors, isPartial } = await read(lake, 20);
  expect(isPartial).toBe(false);
  expect(new Set(vectors.map(({ requestId }) => requestId)).size).toBe(20);
  expect(vectors.map(({ values }) => values[0])).toEqual([...seconds, ...seconds]);
});
