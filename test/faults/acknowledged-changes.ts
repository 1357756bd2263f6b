import { expect } from 'vitest';
import type { HttpClient } from './http-client.ts';
import { ENDPOINT, MODEL } from './prepared-state.ts';
import type { Seeded } from './seeded.ts';
import { versionModel } from '../onnx-model.ts';

interface Revision {
  readonly revision: number;
  readonly hash: string;
  readonly arms: readonly { readonly version: number }[];
}

interface Version {
  readonly version: number;
  readonly digest: string;
}

/** Route revisions and model versions whose change was answered with success. */
export class AcknowledgedChanges {
  readonly #revisions = new Map<number, Revision>();
  readonly #versions = new Map<number, Version>();
  #models = 1000;

  /** Gives later what was acknowledged by now. */
  mark(): () => AcknowledgedChanges {
    const [revisions, versions] = [this.#revisions.size, this.#versions.size];
    return () => {
      const by = new AcknowledgedChanges();
      for (const [at, one] of [...this.#revisions].slice(0, revisions)) by.#revisions.set(at, one);
      for (const [at, one] of [...this.#versions].slice(0, versions)) by.#versions.set(at, one);
      return by;
    };
  }

  async deploy(client: HttpClient, random: Seeded): Promise<void> {
    await this.#change(client, 'deploy', { version: random.int(1, 3) });
  }

  async rollBack(client: HttpClient): Promise<void> {
    await this.#change(client, 'rollback', { reason: 'a drill' });
  }

  async register(client: HttpClient, random: Seeded): Promise<void> {
    this.#models += 1;
    const answer = await client.call({
      method: 'POST',
      path: `/api/v1/models/${MODEL}/versions`,
      headers: { 'content-type': 'application/octet-stream' },
      body: versionModel({ version: this.#models, paddingFloats: random.int(1, 2000) }),
    });
    expect(answer.status, answer.body).toBe(201);
    const version = JSON.parse(answer.body) as Version;
    this.#versions.set(version.version, version);
  }

  /** After a restart everything acknowledged is there, unchanged; the chain of hashes holds. */
  async check(client: HttpClient): Promise<void> {
    const revisions = await client.json<{ items: Revision[]; chainIntact: boolean }>(
      'GET',
      `/api/v1/endpoints/${ENDPOINT}/revisions?limit=1000`,
    );
    expect(revisions.chainIntact).toBe(true);
    const found = new Map(revisions.items.map((revision) => [revision.revision, revision]));
    expect(found.size, 'a revision is there twice').toBe(revisions.items.length);
    for (const [number, revision] of this.#revisions) {
      expect(found.get(number), `revision ${number}`).toEqual(revision);
    }
    const versions = await client.json<{ items: Version[] }>(
      'GET',
      `/api/v1/models/${MODEL}/versions?limit=1000`,
    );
    const byNumber = new Map(versions.items.map((version) => [version.version, version]));
    for (const [number, version] of this.#versions) {
      expect(byNumber.get(number), `version ${number}`).toEqual(version);
    }
  }

  async #change(client: HttpClient, verb: string, body: unknown): Promise<void> {
    const answer = await client.call({
      method: 'POST',
      path: `/api/v1/endpoints/${ENDPOINT}/${verb}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // Rolling back past the first revision is refused.
    expect([200, 409], answer.body).toContain(answer.status);
    if (answer.status !== 200) return;
    const revision = JSON.parse(answer.body) as Revision;
    this.#revisions.set(revision.revision, revision);
  }
}
