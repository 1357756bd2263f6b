import { expect } from 'vitest';
import type { HttpClient } from './http-client.ts';

const ROWS = 3;
/** Batches around a backup. */
const AGAIN = 40;

/** Appends to one table, each a batch of its own, and what came of them. */
export class AppendedBatches {
  readonly table: string;
  /** Batches that were sent, acknowledged or not. */
  #sent: number;
  readonly #acknowledged: Set<number>;

  constructor(table: string, sent = 0, acknowledged = new Set<number>()) {
    this.table = table;
    this.#sent = sent;
    this.#acknowledged = acknowledged;
  }

  /** Gives later what was sent and acknowledged by now. */
  mark(): () => AppendedBatches {
    const [sent, acknowledged] = [this.#sent, this.#acknowledged.size];
    return () => {
      const by = new Set([...this.#acknowledged].slice(0, acknowledged));
      return new AppendedBatches(this.table, sent, by);
    };
  }

  async create(client: HttpClient): Promise<void> {
    const columns = [{ name: 'n', type: 'long' }];
    await client.json('POST', '/api/v1/tables', { namespace: 'lab', name: this.table, columns });
  }

  async append(client: HttpClient): Promise<void> {
    const batch = this.#sent;
    this.#sent += 1;
    const { status, body } = await this.#send(client, batch);
    expect(status, body).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ rows: ROWS, duplicate: false });
    this.#acknowledged.add(batch);
  }

  /** Every batch is there whole or not at all, and those that were acknowledged are. */
  async check(client: HttpClient): Promise<void> {
    const found = await this.#numbers(client);
    const batches = new Set(found.map((number) => Math.floor(number / ROWS)));
    expect(found, 'batches are whole, and none is there twice').toEqual(numbersOf([...batches]));
    const lost = [...this.#acknowledged].filter((batch) => !batches.has(batch));
    expect(lost, `batches of ${this.table} acknowledged and lost`).toEqual([]);
  }

  /** A client that does not know what became of its last batches sends them again. */
  async sendAgain(client: HttpClient): Promise<void> {
    const end = this.#sent + AGAIN;
    for (let batch = Math.max(0, this.#sent - AGAIN); batch < end; batch += 1) {
      expect((await this.#send(client, batch)).status).toBe(200);
    }
    const all = Array.from({ length: end }, (_, batch) => batch);
    expect(await this.#numbers(client)).toEqual(numbersOf(all));
  }

  async #send(client: HttpClient, batch: number): ReturnType<HttpClient['call']> {
    const lines = numbersOf([batch]).map((n) => JSON.stringify({ n }));
    return client.call({
      method: 'POST',
      path: `/api/v1/tables/lab/${this.table}/rows?batch=b${batch}`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
  }

  async #numbers(client: HttpClient): Promise<readonly number[]> {
    const found: number[] = [];
    for (;;) {
      const query = `limit=1000&offset=${found.length}`;
      const at = `/api/v1/tables/lab/${this.table}/rows?${query}`;
      const { rows } = await client.json<{ rows: [string | number][] }>('GET', at);
      found.push(...rows.map(([number]) => Number(number)));
      if (rows.length < 1000) return found.toSorted((a, b) => a - b);
    }
  }
}

function numbersOf(batches: readonly number[]): readonly number[] {
  const numbers = batches.flatMap((batch) =>
    Array.from({ length: ROWS }, (_, index) => batch * ROWS + index),
  );
  return numbers.toSorted((a, b) => a - b);
}
