import { expect } from 'vitest';
import type { Answer, HttpClient } from './http-client.ts';
import { ENDPOINT } from './prepared-state.ts';
import type { Seeded } from './seeded.ts';
import type { StoredPrediction } from './stored-records.ts';

/** What the client received for a request. */
export interface Answered {
  readonly status: number;
  readonly version: number;
  readonly revision: number;
  readonly inputs: readonly number[];
  /** Null for an error. */
  readonly score: number | null;
}

/** What a client has sent and what it has received, to hold against what was stored. */
export class Ledger {
  readonly sent: Set<string>;
  readonly answered = new Map<string, Answered>();
  readonly labels = new Set<number>();
  /** Ids of requests that were refused because they could not be logged. */
  readonly refused = new Set<string>();
  readonly #prefix: string;
  #count = 0;

  /** Request ids start with the prefix. */
  constructor(prefix = 'r', sent = new Set<string>()) {
    this.#prefix = prefix;
    this.sent = sent;
  }

  /** Gives later what was acknowledged by now; all that is sent was sent to that too. */
  mark(): () => Ledger {
    const [answered, labels] = [this.answered.size, this.labels.size];
    return () => {
      const ledger = new Ledger(this.#prefix, this.sent);
      for (const [id, one] of [...this.answered].slice(0, answered)) ledger.answered.set(id, one);
      for (const value of [...this.labels].slice(0, labels)) ledger.labels.add(value);
      return ledger;
    };
  }

  /** Sends one request of random numbers; one in twenty has a wrong shape. */
  async infer(client: HttpClient, random: Seeded): Promise<void> {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    const inputs = [1, 2, 3].map(() => random.int(-1000, 1000));
    const isBroken = random.int(1, 20) === 1;
    this.sent.add(id);
    const answer = await client.call({
      method: 'POST',
      path: `/v2/models/${ENDPOINT}/infer`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id,
        parameters: { flight: `f-${id}` },
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, isBroken ? 4 : 3], data: inputs }],
      }),
    });
    this.#receive(id, inputs, { answer, isBroken });
  }

  /** Labels an answered request with a number no other label has. */
  async label(client: HttpClient, random: Seeded): Promise<void> {
    const ids = [...this.answered.keys()];
    if (ids.length === 0) return;
    this.#count += 1;
    const value = this.#count;
    const labels = [{ endpoint: ENDPOINT, requestId: random.pick(ids), value }];
    const answer = await client.call({
      method: 'POST',
      path: '/api/v1/labels',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ labels }),
    });
    // While the engine is down a request that was flushed before the start may not be found.
    expect([200, 503], answer.body).toContain(answer.status);
    if (answer.status === 200) this.labels.add(value);
  }

  /** Everything answered is stored once and as it was, and nothing is stored twice or invented. */
  check(stored: readonly StoredPrediction[]): void {
    const byId = new Map<string, StoredPrediction>();
    for (const record of stored) {
      expect(byId.has(record.requestId), `${record.requestId} is stored twice`).toBe(false);
      expect(this.sent.has(record.requestId), `${record.requestId} was never sent`).toBe(true);
      expect(this.refused.has(record.requestId), `${record.requestId} was refused`).toBe(false);
      byId.set(record.requestId, record);
    }
    for (const [id, answered] of this.answered) {
      const record = byId.get(id);
      expect(record, `${id} was answered and is lost`).toBeDefined();
      const { status, version, revision, inputs, score, key } = record!;
      expect({ status, version, revision, score }, id).toEqual({
        status: answered.status,
        version: answered.version,
        revision: answered.revision,
        score: answered.score,
      });
      expect(inputs, id).toEqual(answered.inputs);
      expect(key).toBe(`f-${id}`);
    }
  }

  /** Acknowledged labels are stored once. */
  checkLabels(stored: readonly number[]): void {
    expect(new Set(stored).size, 'a label is stored twice').toBe(stored.length);
    const lost = [...this.labels].filter((value) => !stored.includes(value));
    expect(lost, 'labels acknowledged and lost').toEqual([]);
  }

  #receive(
    id: string,
    inputs: readonly number[],
    got: { readonly answer: Answer; readonly isBroken: boolean },
  ): void {
    const { status, headers, body } = got.answer;
    if (status === 507) {
      expect(JSON.parse(body)).toMatchObject({ error: expect.stringContaining('disk') as string });
      this.refused.add(id);
      return;
    }
    expect(status, body).toBe(got.isBroken ? 400 : 200);
    expect(headers['x-request-id']).toBe(id);
    const version = Number(headers['x-model-version']);
    const revision = Number(headers['x-route-revision']);
    let score: number | null = null;
    if (status === 200) {
      const outputs = outputsOf(body);
      score = outputs.score;
      expect(outputs.version, 'the tensor and the header name one version').toBe(version);
      expect(score).toBe(inputs[0]! + 2 * inputs[1]! + 3 * inputs[2]!);
    }
    this.answered.set(id, { status, version, revision, inputs, score });
  }
}

/** The two outputs of `versionModel`, for one row. */
export function outputsOf(body: string): { readonly score: number; readonly version: number } {
  const { outputs } = JSON.parse(body) as { outputs: { name: string; data: number[] }[] };
  const value = (name: string): number => outputs.find((output) => output.name === name)!.data[0]!;
  return { score: value('score'), version: value('version') };
}
