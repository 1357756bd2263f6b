import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import { silentLog } from '../log/log.ts';
import { OnnxInference } from './onnx.ts';
import type { AnswerJson } from './port.ts';

let folder: string;
let inference: OnnxInference;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-onnx-'));
  inference = new OnnxInference({ log: silentLog });
});

afterAll(async () => {
  await inference.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, content: Buffer): Promise<string> {
  const at = path.join(folder, name);
  await writeFile(at, content);
  return at;
}

const inputs: readonly Tensor[] = [
  { name: 'x', datatype: 'FP32', shape: [2, 3], data: new Float32Array([1, 1, 1, 0, 0, 2]) },
];

function answers(outputs: readonly Tensor[]): unknown {
  return outputs.map(({ name, shape, data }) => [name, shape, [...(data as Float32Array)]]);
}

test('reads the signature of a model', async () => {
  const signature = await inference.inspect(await file('a.onnx', versionModel({ version: 1 })));
  expect(signature).toEqual({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
    outputs: [
      { name: 'score', datatype: 'FP32', shape: [-1, 1] },
      { name: 'version', datatype: 'FP32', shape: [-1, 1] },
    ],
  });
});

test('runs a cheap model on the main thread', async () => {
  const model = await inference.load(await file('b.onnx', versionModel({ version: 7 })));
  expect(model.runtime).toMatch(/^onnxruntime \d/);
  expect(answers(await model.run(inputs, []))).toEqual([
    ['score', [2, 1], [6, 6]],
    ['version', [2, 1], [7, 7]],
  ]);
  expect(answers(await model.run(inputs, ['version']))).toEqual([['version', [2, 1], [7, 7]]]);
  await model.release();
});

test('keeps a model that is slow to load in the worker, with the same answers', async () => {
  const large = versionModel({ version: 3, paddingFloats: 10_000_000 });
  const model = await inference.load(await file('c.onnx', large));
  expect(model.placement).toBe('worker');
  expect(answers(await model.run(inputs, ['version']))).toEqual([['version', [2, 1], [3, 3]]]);
  await model.release();
});

test.each([
  ['main', 0],
  ['worker', 10_000_000],
])('a model on %s answers what it was asked before it is released', async (where, floats) => {
  const content = versionModel({ version: 5, paddingFloats: floats });
  const model = await inference.load(await file(`${where}.onnx`, content));
  expect(model.placement).toBe(where);
  const runs = Array.from({ length: 50 }, () => model.run(inputs, ['version']));
  await model.release();
  for (const outputs of await Promise.all(runs)) {
    expect(answers(outputs)).toEqual([['version', [2, 1], [5, 5]]]);
  }
});

const FRAME = { before: '{"outputs":', after: '}' };

/** Rows of ones and the answer to them. */
function rows(count: number): { readonly body: string; readonly tensors: readonly Tensor[] } {
  const data = new Float32Array(count * 3).fill(1);
  const shape = [count, 3];
  const spec = { name: 'x', datatype: 'FP32', shape } as const;
  const body = JSON.stringify({ id: 'r', inputs: [{ ...spec, data: [...data] }] });
  return { body, tensors: [{ ...spec, data }] };
}

function outputsOf(answer: AnswerJson): { name: string; data: number[] }[] {
  const text = typeof answer === 'string' ? answer : Buffer.from(answer).toString('utf8');
  return (JSON.parse(text) as { outputs: { name: string; data: number[] }[] }).outputs;
}

test.each([
  ['main', 0],
  ['worker', 10_000_000],
])('reads and answers a long body in the worker for a model on %s', async (where, floats) => {
  const content = versionModel({ version: 9, paddingFloats: floats });
  const model = await inference.load(await file(`parked-${where}.onnx`, content));
  expect(model.placement).toBe(where);
  const parked = await inference.park(Buffer.from(rows(30_000).body));
  expect(parked).toMatchObject({ isJson: true, error: null, envelope: { id: 'r' } });
  const [score, version] = outputsOf(await model.answerParked(parked, FRAME));
  parked.release();
  expect(score).toMatchObject({ name: 'score', shape: [30_000, 1] });
  expect(new Set(version?.data)).toEqual(new Set([9]));
  await model.release();
});

test('says what is wrong with a long body, and with its tensors', async () => {
  const model = await inference.load(await file('h.onnx', versionModel({ version: 1 })));
  const broken = await inference.park(Buffer.from('{"inputs": [NaN'));
  expect(broken).toMatchObject({ isJson: false, envelope: null, error: { code: 'INVALID_JSON' } });
  const empty = await inference.park(Buffer.from('{"inputs": []}'));
  const refused = model.answerParked(empty, FRAME);
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_TENSOR' });
  empty.release();
  await model.release();
});

test('refuses more long bodies than it has memory for, until they are answered', async () => {
  const body = (): Buffer => Buffer.from(`{"inputs":[],"x":"${'y'.repeat(9_000_000)}"}`);
  const held = [await inference.park(body()), await inference.park(body())];
  held.push(await inference.park(body()));
  await expect(inference.park(body())).rejects.toMatchObject({ code: 'OVERLOADED' });
  for (const parked of held) parked.release();
  (await inference.park(body())).release();
});

test('runs a cheap model in the worker when the batch is not cheap', async () => {
  const model = await inference.load(await file('i.onnx', versionModel({ version: 2 })));
  const { mainLengthMax } = model;
  expect(mainLengthMax).toBeGreaterThan(1);
  const long = rows(mainLengthMax + 1).tensors;
  const asked = { inputs: long, outputs: ['version'] };
  const [version] = outputsOf(await model.answer(asked, FRAME));
  expect(version?.data).toHaveLength(mainLengthMax + 1);
  const lost = model.answer(asked, FRAME);
  const kept = model.answer({ ...asked, inputs: rows(mainLengthMax).tensors }, FRAME);
  await inference.crashWorker();
  await expect(lost).rejects.toMatchObject({ code: 'ENDPOINT_NOT_READY' });
  expect(outputsOf(await kept)[0]?.data).toHaveLength(mainLengthMax);
  await model.release();
});

test('answers from the worker while another model is judged', async () => {
  const large = await file('g.onnx', versionModel({ version: 6, paddingFloats: 10_000_000 }));
  const model = await inference.load(large);
  const order: string[] = [];
  const judged = inference.load(large).then((other) => {
    order.push('judged');
    return other.release();
  });
  await model.run(inputs, []);
  order.push('answered');
  await judged;
  expect(order).toEqual(['answered', 'judged']);
  await model.release();
});

test('answers again after the worker died', async () => {
  const large = versionModel({ version: 4, paddingFloats: 5_000_000 });
  const model = await inference.load(await file('f.onnx', large));
  const lost = model.run(inputs, []);
  await inference.crashWorker();
  await lost.catch((error: unknown) => expect(error).toMatchObject({ code: 'ENDPOINT_NOT_READY' }));
  expect(answers(await model.run(inputs, ['version']))).toEqual([['version', [2, 1], [4, 4]]]);
  await model.release();
});

test('refuses a file that is no model, and goes on', async () => {
  const broken = await file('d.onnx', Buffer.from('not a model'));
  await expect(inference.inspect(broken)).rejects.toMatchObject({ code: 'INVALID_MODEL' });
  const model = await inference.load(await file('e.onnx', versionModel({ version: 1 })));
  await model.release();
});
