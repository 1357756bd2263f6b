import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { formatInstant } from '../../base/time.ts';
import { registerModel } from '../registry/contract.ts';
import * as contract from './contract.ts';

const params = { endpoint: 'late' };
const MINUTE = 60_000;
let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function declare(spec: { key?: string; sticky?: string } = {}): Promise<void> {
  await app.api.call(contract.putEndpoint, { params, body: { model: 'late', ...spec } });
}

async function deploy(version: number): Promise<void> {
  await app.api.call(contract.deploy, { params, body: { version, reason: `try ${version}` } });
}

async function split(percent: number): Promise<void> {
  const arms = [
    { name: 'blue', version: 1, weight: 10_000 - 100 * percent },
    { name: 'canary', version: 2, weight: 100 * percent },
  ];
  await app.api.call(contract.split, { params, body: { arms, reason: 'look first' } });
}

/** Asks the endpoint; returns the answering version and the request's id. */
async function ask(parameters: Record<string, string>): Promise<{ id: string; version: number }> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }];
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { host: '127.0.0.1' },
    payload: { parameters, inputs },
  });
  expect(reply.statusCode).toBe(200);
  const { id, model_version } = reply.json<{ id: string; model_version: string }>();
  return { id, version: Number(model_version) };
}

function now(): string {
  return formatInstant(app.clock.now());
}

function who(query: { at?: string; key?: string; limit?: number } = {}) {
  return app.api.call(contract.whoServed, { params, query });
}

describe('who served', () => {
  test('is the version of the revision that was current then, with actor and reason', async () => {
    await declare();
    const before = now();
    app.clock.advance(MINUTE);
    await deploy(1);
    const first = now();
    app.clock.advance(MINUTE);
    await deploy(2);
    app.clock.advance(MINUTE);
    expect(await who({ at: before })).toMatchObject({
      revision: null,
      answer: null,
      undecided: 'nothing was deployed',
      requests: [],
    });
    const past = await who({ at: first });
    expect(past.revision).toMatchObject({
      revision: 1,
      actor: 'test',
      reason: 'try 1',
      now: first,
    });
    expect(past.answer).toMatchObject({ model: 'late', version: 1, bucket: null });
    const current = await who();
    expect(past.until).toBe(current.revision?.now);
    expect(current).toMatchObject({ at: now(), until: null, answer: { version: 2 } });
  });

  test('is decided by the sticky key exactly as the gateway decided', async () => {
    await declare({ key: 'flight', sticky: 'origin' });
    await deploy(1);
    await split(40);
    const seen = new Set<number>();
    for (const origin of ['ORD', 'ATL', 'LGA', 'SFO', 'DEN', 'JFK', 'BOS', 'MIA']) {
      const { id, version } = await ask({ origin, flight: `f-${origin}` });
      const found = await who({ key: `origin=${origin}` });
      expect(found.answer?.version).toBe(version);
      expect(found.requests).toMatchObject([{ requestId: id, bucket: found.answer?.bucket }]);
      seen.add(version);
    }
    expect(seen).toEqual(new Set([1, 2]));
    expect((await who()).ranges).toEqual([
      { arm: 'blue', version: 1, from: 0, below: 6000 },
      { arm: 'canary', version: 2, from: 6000, below: 10_000 },
    ]);
  });

  test('is not guessed where several arms shared the traffic; a request tells', async () => {
    await declare({ key: 'flight', sticky: 'origin' });
    await deploy(1);
    await split(50);
    const asked = await ask({ origin: 'ORD', flight: '77' });
    await ask({ origin: 'ATL', flight: '78' });
    const open = await who();
    expect(open.answer).toBeNull();
    expect(open.undecided).toBe('2 arms shared the traffic, told apart by origin');
    expect(open.requests).toHaveLength(2);
    const other = await who({ key: 'flight=77' });
    expect(other.undecided).toContain('told apart by origin and not by flight');
    expect(other.requests).toMatchObject([{ requestId: asked.id, modelVersion: asked.version }]);
    await expect(who({ key: 'airline=UA' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Endpoint late told no callers apart by airline.',
    });
    await expect(who({ key: 'no equals sign' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('knows by what callers were told apart then, and not only now', async () => {
    await declare({ sticky: 'origin' });
    await deploy(1);
    await split(50);
    const then = now();
    const { version } = await ask({ origin: 'ORD' });
    app.clock.advance(MINUTE);
    await declare({ sticky: 'airline' });
    app.clock.advance(MINUTE);
    expect(await who({ at: then, key: 'origin=ORD' })).toMatchObject({
      stickyBy: 'origin',
      answer: { version },
    });
    expect(await who()).toMatchObject({ stickyBy: 'airline' });
  });

  test('shows the requests nearest to the moment, under the revision of then', async () => {
    await declare();
    await deploy(1);
    const ids: string[] = [];
    for (let minute = 0; minute < 6; minute += 1) {
      ids.push((await ask({})).id);
      app.clock.advance(MINUTE);
    }
    await deploy(2);
    await ask({});
    const at = formatInstant(app.clock.now());
    const near = await who({ at: at.replace('00:06:00', '00:03:30'), limit: 2 });
    expect(near.requests.map(({ requestId }) => requestId)).toEqual(ids.slice(2, 6));
    const byId = await who({ at: near.at, key: `request_id=${ids[0]}` });
    expect(byId.requests).toMatchObject([{ requestId: ids[0] }]);
    expect((await who({ limit: 0 })).requests).toEqual([]);
  });

  test('is refused for an endpoint that is not there', async () => {
    await expect(who()).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
  });
});
