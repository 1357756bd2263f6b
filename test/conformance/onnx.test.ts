import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageFolder } from '../../src/app/program.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { python } from './python.ts';

/** What the gateway serves against what scikit-learn and the Python ONNX Runtime say themselves. */

const IRIS = path.join(packageFolder, 'examples', 'iris');
const TOLERANCE = 1e-5;

let app: TestApp;
let rows: readonly (readonly number[])[];

beforeAll(async () => {
  app = await createTestApp();
  const text = await readFile(path.join(IRIS, 'iris.csv'), 'utf8');
  const [, ...lines] = text.trim().split('\n');
  rows = lines.map((line) => line.split(',').slice(1, 5).map(Number));
  for (const version of [1, 2]) {
    const bytes = await readFile(path.join(IRIS, 'models', `v${version}.onnx`));
    await app.api.call(registerModel, { params: { model: 'iris' }, query: {} }, { bytes });
  }
  const params = { endpoint: 'iris' };
  await app.api.call(putEndpoint, { params, body: { model: 'iris' } });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

async function served(version: number): Promise<{ labels: number[]; probabilities: number[] }> {
  await app.api.call(deploy, { params: { endpoint: 'iris' }, body: { version } });
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/iris/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      inputs: [{ name: 'measurements', datatype: 'FP32', shape: [rows.length, 4], data: rows }],
    }),
  });
  const [labels, probabilities] = reply.json().outputs;
  return { labels: labels.data, probabilities: probabilities.data };
}

test.each([1, 2])('version %d answers as the Python ONNX Runtime does', async (version) => {
  const source = `
import csv, json, numpy, onnxruntime, sys
folder, version = sys.argv[1:]
rows = [[float(v) for v in row[1:5]] for row in list(csv.reader(open(folder + "/iris.csv")))[1:]]
session = onnxruntime.InferenceSession(f"{folder}/models/v{version}.onnx")
labels, probabilities = session.run(None, {"measurements": numpy.array(rows, numpy.float32)})
print(json.dumps([labels.tolist(), probabilities.ravel().astype(float).tolist()]))
`;
  const printed = await python(source, { args: [IRIS, String(version)] });
  const [labels, probabilities] = JSON.parse(printed) as [number[], number[]];
  const ours = await served(version);
  expect(ours.labels).toEqual(labels);
  const worst = probabilities.map((value, index) => Math.abs(value - ours.probabilities[index]!));
  expect(Math.max(...worst)).toBeLessThanOrEqual(TOLERANCE);
});

test('the example’s models are those that its script trains', async () => {
  const source = `
import json, sys
sys.path.insert(0, sys.argv[1])
import onnxruntime, numpy, pathlib, tempfile, train
from sklearn.datasets import load_iris
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "models").mkdir()
train.FOLDER = folder
train.main()
data = load_iris().data.astype(numpy.float32)
out = []
for version in (1, 2):
    session = onnxruntime.InferenceSession(str(folder / "models" / f"v{version}.onnx"))
    labels, probabilities = session.run(None, {"measurements": data})
    out.append(probabilities.ravel().astype(float).tolist())
print(json.dumps({"csv": (folder / "iris.csv").read_text(), "probabilities": out}))
`;
  const printed = await python(source, { args: [IRIS] });
  const made = JSON.parse(printed) as { csv: string; probabilities: number[][] };
  expect(made.csv).toBe(await readFile(path.join(IRIS, 'iris.csv'), 'utf8'));
  for (const version of [1, 2]) {
    const { probabilities } = await served(version);
    const worst = probabilities.map((value, index) =>
      Math.abs(value - made.probabilities[version - 1]![index]!),
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(TOLERANCE);
  }
});
