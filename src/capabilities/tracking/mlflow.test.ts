import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';

/** What no client sends, and what MLflow's own server was broken with. */

let app: TestApp;
let run: string;

beforeAll(async () => {
  app = await createTestApp();
  const created = await post('runs/create', { experiment_id: '0' });
  run = (created.body as { run: { info: { run_id: string } } }).run.info.run_id;
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function send(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  url: string,
  payload?: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const reply = await app.app.http.inject({
    method,
    url,
    headers: { host: '127.0.0.1', 'content-type': 'application/json', ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  let body: unknown = reply.body;
  try {
    body = JSON.parse(reply.body);
  } catch {
    // Bytes of an artifact.
  }
  return { status: reply.statusCode, body, headers: reply.headers };
}

function post(path: string, message: unknown, headers?: Readonly<Record<string, string>>) {
  return send('POST', `/api/2.0/mlflow/${path}`, JSON.stringify(message), headers);
}

const bad = { error_code: 'INVALID_PARAMETER_VALUE', message: expect.any(String) };

describe('a message', () => {
  test.each([
    ['a bare NaN', `{"run_id":"RUN","metrics":[{"key":"m","value":NaN,"timestamp":1}]}`],
    ['half a body', `{"run_id":"RUN","metrics":[`],
    ['a list', `[1]`],
  ])('that is no JSON object is refused whole: %s', async (_, text) => {
    const url = '/api/2.0/mlflow/runs/log-batch';
    const answer = await send('POST', url, text.replace('RUN', run));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error_code: 'BAD_REQUEST' });
  });

  test.each([
    ['a value that is text', { key: 'm', value: 'high', timestamp: 1 }],
    ['no value', { key: 'm', timestamp: 1 }],
    ['a time before 1970', { key: 'm', value: 1, timestamp: -1 }],
    ['a step that is no whole number', { key: 'm', value: 1, timestamp: 1, step: 0.5 }],
    ['an integer that would be rounded', { key: 'm', value: 1, timestamp: '99999999999999999' }],
    ['a key that is a path', { key: '../m', value: 1, timestamp: 1 }],
    ['a key that is too long', { key: 'm'.repeat(251), value: 1, timestamp: 1 }],
  ])('with %s stores nothing', async (_, metric) => {
    const metrics = [{ key: 'first', value: 1, timestamp: 1 }, metric];
    const answer = await post('runs/log-batch', { run_id: run, metrics });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(bad);
    const { body } = await send('GET', `/api/2.0/mlflow/runs/get?run_id=${run}`);
    expect(body).toMatchObject({ run: { data: expect.not.objectContaining({ metrics: [] }) } });
    expect(JSON.stringify(body)).not.toContain('"first"');
  });

  test('names the missing or wrong field as MLflow does', async () => {
    const missing = await post('runs/log-parameter', { run_id: run, value: 'x' });
    expect(missing.body).toEqual({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: "Missing value for required parameter 'key'.",
    });
    const wrong = await post('experiments/create', { name: 123 });
    expect(wrong.body).toMatchObject({
      message: expect.stringContaining("Invalid value 123 for parameter 'name' supplied"),
    });
  });

  test('records the models of clients before MLflow 3', async () => {
    const model = { artifact_path: 'model', flavors: { onnx: {} }, run_id: run };
    const record = (text: string) => post('runs/log-model', { run_id: run, model_json: text });
    expect((await record(JSON.stringify(model))).status).toBe(200);
    expect((await record(JSON.stringify(model))).status).toBe(200);
    const { body } = await send('GET', `/api/2.0/mlflow/runs/get?run_id=${run}`);
    expect(body).toMatchObject({
      run: {
        data: {
          tags: expect.arrayContaining([
            { key: 'mlflow.log-model.history', value: JSON.stringify([model, model]) },
          ]),
        },
      },
    });
    expect((await record('{"flavors":1}')).body).toEqual(bad);
  });

  test('is bounded in every list', async () => {
    const params = Array.from({ length: 101 }, (_, index) => ({ key: `p${index}`, value: '' }));
    const answer = await post('runs/log-batch', { run_id: run, params });
    expect(answer.body).toMatchObject({ message: expect.stringContaining('at most 100 params') });
  });

  test('searches thousands of experiments by several metrics at once', async () => {
    const experiment_ids = Array.from({ length: 10_000 }, (_, index) => String(index));
    const metrics = ['a', 'b', 'c', 'd'].map((key) => `metrics.${key} > 0`);
    const search = { experiment_ids, filter: metrics.join(' and '), order_by: ['metrics.a'] };
    expect((await post('runs/search', search)).status).toBe(200);
    const all = await post('runs/search', { experiment_ids });
    expect(JSON.stringify(all.body)).toContain(run);
    expect((await post('logged-models/search', { experiment_ids })).status).toBe(200);
  });

  test.each([
    ['experiment_ids', Array.from({ length: 10_001 }, () => '0')],
    ['datasets', Array.from({ length: 101 }, () => ({ dataset_name: 'd' }))],
    ['order_by', Array.from({ length: 21 }, () => ({ field_name: 'metrics.m' }))],
  ])('that searches logged models by too many %s is refused', async (field, list) => {
    const answer = await post('logged-models/search', { experiment_ids: ['0'], [field]: list });
    expect(answer.body).toEqual(bad);
    expect(JSON.stringify(answer.body)).toContain('A search takes at most');
  });

  test('of another page or content type is refused', async () => {
    const evil = { origin: 'https://evil.example' };
    for (const prefix of ['/api', '/ajax-api']) {
      const url = `${prefix}/2.0/mlflow/experiments/create`;
      const crossed = await send('POST', url, '{"name":"evil"}', evil);
      expect(crossed.status).toBe(403);
      const plain = await send('POST', url, '{"name":"evil"}', { 'content-type': 'text/plain' });
      expect(plain.status).toBe(400);
    }
  });

  test('that is not spoken here is answered in MLflow’s form', async () => {
    const answer = await send('POST', '/api/3.0/mlflow/traces', '{}');
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' });
    const parts = await send('POST', '/api/2.0/mlflow-artifacts/mpu/create/0/x', '{"path":"x"}');
    expect(parts.status).toBe(501);
    expect(parts.body).toMatchObject({
      message: expect.stringMatching(/^Multipart upload is not supported/),
    });
  });

  test.each([
    'file:///etc',
    'mlflow-artifacts:/a/../../b',
    'http:///#/../../etc',
    's3://b/x?/../..',
    'dbfs:/x',
    '/etc',
    'registered-models',
    'mlflow-artifacts:/registered-models/late/1',
    's3://b/;..%2f',
  ])('cannot put an experiment’s artifacts at %s', async (location) => {
    const name = `at ${location}`;
    const answer = await post('experiments/create', { name, artifact_location: location });
    expect(answer.body).toEqual(bad);
  });
});

describe('an artifact', () => {
  const HOSTILE = [
    '../x',
    'a/../../x',
    '..%2fx',
    '%2e%2e/x',
    '%2e%2e%2fx',
    '..%5c..%5cx',
    '%252e%252e%252fx',
    '%25252e%25252e/x',
    '/etc/passwd',
    '%2Fetc%2Fpasswd',
    'C:%5Cx',
    'c:/x',
    'file:%2F%2F%2Fetc',
    'a%00b',
    'a%0ab',
    'a%23b',
    'a//b',
    'a%2F.%2Fb',
    'registered-models/late/1/model.onnx',
    '%E0%A4%A',
  ];

  test.each(HOSTILE)('at %s is never read or written', async (path) => {
    const before = await app.app.http.inject({
      url: '/api/v1/runs',
      headers: { host: '127.0.0.1' },
    });
    for (const prefix of ['/api', '/ajax-api']) {
      const url = `${prefix}/2.0/mlflow-artifacts/artifacts/${path}`;
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        const { status } = await send(method, url, method === 'PUT' ? Buffer.from('x') : undefined);
        expect([400, 404]).toContain(status);
        if (method === 'PUT') expect(status).not.toBe(200);
      }
    }
    expect(before.statusCode).toBe(200);
  });

  test('goes up and down with its bytes, and never opens in a browser', async () => {
    const url = `/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/page.html`;
    const put = await send('PUT', url, Buffer.from('<script>1</script>'), {
      'content-type': 'text/html',
    });
    expect(put.status).toBe(200);
    const got = await send('GET', url);
    expect(got.body).toBe('<script>1</script>');
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
      'content-disposition': expect.stringMatching(/^attachment/),
    });
    const native = await send('GET', `/api/v1/runs/run_${run}/artifact?path=page.html`);
    expect(native.body).toBe('<script>1</script>');
    const listed = await send('GET', `/api/2.0/mlflow/artifacts/list?run_id=${run}`);
    expect(listed.body).toMatchObject({ files: [{ path: 'page.html', file_size: 18 }] });
    const empty = `/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/empty`;
    expect((await send('PUT', empty, Buffer.alloc(0))).status).toBe(200);
    expect((await send('GET', empty)).body).toBe('');
  });
});
