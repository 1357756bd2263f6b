import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { compileReader, readEnvelope } from './read-request.ts';
import type { TensorSpec } from './tensor.ts';
import { outputsJson } from './write-response.ts';

const X: TensorSpec = { name: 'x', datatype: 'FP32', shape: [-1, 3] };

function read(body: unknown, inputs: readonly TensorSpec[] = [X]) {
  return compileReader({ inputs, outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }] })(
    readEnvelope(body),
  );
}

function tensor(changes: Record<string, unknown> = {}) {
  return { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3], ...changes };
}

function refusal(body: unknown, inputs?: readonly TensorSpec[]): string {
  try {
    read(body, inputs);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError);
    expect((thrown as AppError).status).toBe(400);
    return `${(thrown as AppError).message} ${(thrown as AppError).hint ?? ''}`;
  }
  throw new Error('was accepted');
}

describe('reading an inference request', () => {
  test('takes flat and nested data alike', () => {
    const flat = read({ inputs: [tensor({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] })] });
    const nested = read({
      inputs: [
        tensor({
          shape: [2, 3],
          data: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        }),
      ],
    });
    expect(nested.inputs).toEqual(flat.inputs);
    expect([...(flat.inputs[0]!.data as Float32Array)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('takes an empty batch', () => {
    expect(read({ inputs: [tensor({ shape: [0, 3], data: [] })] }).inputs[0]!.shape).toEqual([
      0, 3,
    ]);
  });

  test.each([
    ['a body that is no object', [], 'JSON object'],
    ['no inputs', {}, '`inputs` must be an array'],
    ['an id that is no string', { id: 7, inputs: [] }, '`id` must be a string'],
    ['a nested parameter', { parameters: { a: {} }, inputs: [] }, 'Parameter a'],
    ['a rounded parameter', { parameters: { a: 2 ** 53 }, inputs: [] }, 'Parameter a'],
    ['an infinite parameter', { parameters: { a: Infinity }, inputs: [] }, 'Parameter a'],
    ['a missing input', { inputs: [] }, 'Input x is missing'],
    ['an unknown input', { inputs: [tensor({ name: 'X' })] }, 'Did you mean x?'],
    ['an input given twice', { inputs: [tensor(), tensor()] }, 'given twice'],
    ['a wrong datatype', { inputs: [tensor({ datatype: 'FP64' })] }, 'not FP32'],
    ['a wrong shape', { inputs: [tensor({ shape: [3, 1] })] }, 'FP32 of shape [-1, 3]'],
    ['a wrong rank', { inputs: [tensor({ shape: [3] })] }, 'has shape [3]'],
    ['a negative dimension', { inputs: [tensor({ shape: [-1, 3] })] }, 'whole number of 0 or more'],
    ['a shape whose product overflows', { inputs: [tensor({ shape: [2 ** 52, 3] })] }, 'elements'],
    ['too few elements', { inputs: [tensor({ data: [1, 2] })] }, '2 elements'],
    ['ragged nesting', { inputs: [tensor({ data: [[1, 2]] })] }, 'nested data'],
    ['null for a number', { inputs: [tensor({ data: [1, null, 3] })] }, 'element 1: null'],
    ['text for a number', { inputs: [tensor({ data: [1, '2', 3] })] }, 'element 1: "2"'],
    ['a number beyond FP32', { inputs: [tensor({ data: [1, 1e39, 3] })] }, 'not finite as FP32'],
    ['an unknown output', { inputs: [tensor()], outputs: [{ name: 'z' }] }, 'no output named'],
    [
      'an output asked for twice',
      { inputs: [tensor()], outputs: [{ name: 'y' }, { name: 'y' }] },
      'twice',
    ],
  ])('refuses %s', (_, body, message) => {
    expect(refusal(body)).toContain(message);
  });

  test('refuses 64-bit integers that JSON does not carry exactly', () => {
    const spec: TensorSpec = { name: 'x', datatype: 'INT64', shape: [1] };
    const body = { inputs: [tensor({ datatype: 'INT64', shape: [1], data: [2 ** 53] })] };
    expect(refusal(body, [spec])).toContain('carries exactly');
  });

  test('reads the elements of every datatype', () => {
    const cases = [
      ['BOOL', [true, false], [1, 0]],
      ['UINT8', [0, 255], [0, 255]],
      ['INT8', [-128, 127], [-128, 127]],
      ['INT64', [-5, 7], [-5n, 7n]],
      ['UINT64', [0, 9], [0n, 9n]],
      ['FP64', [0.1, -2], [0.1, -2]],
      ['BYTES', ['a\0b', ''], ['a\0b', '']],
    ] as const;
    for (const [datatype, data, expected] of cases) {
      const spec: TensorSpec = { name: 'x', datatype, shape: [2] };
      const body = { inputs: [tensor({ datatype, shape: [2], data })] };
      expect([...(read(body, [spec]).inputs[0]!.data as Iterable<unknown>)]).toEqual([...expected]);
    }
  });

  test('never throws anything but a refusal, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (body) => {
        try {
          read(body);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});

describe('writing outputs', () => {
  test('prints what JSON reads back', () => {
    const outputs = [
      { name: 'y', datatype: 'FP32', shape: [1, 2], data: new Float32Array([0.5, -1]) },
      { name: 'n', datatype: 'INT64', shape: [1], data: new BigInt64Array([3n]) },
      { name: 'b', datatype: 'BOOL', shape: [2], data: new Uint8Array([1, 0]) },
      { name: 's', datatype: 'BYTES', shape: [1], data: ['"é\n'] },
    ] as const;
    expect(
      JSON.parse(outputsJson(outputs.map((one) => ({ ...one, data: one.data as never })))),
    ).toEqual([
      { name: 'y', datatype: 'FP32', shape: [1, 2], data: [0.5, -1] },
      { name: 'n', datatype: 'INT64', shape: [1], data: [3] },
      { name: 'b', datatype: 'BOOL', shape: [2], data: [true, false] },
      { name: 's', datatype: 'BYTES', shape: [1], data: ['"é\n'] },
    ]);
  });

  test('refuses to answer NaN', () => {
    const nan = { name: 'y', datatype: 'FP32', shape: [1], data: new Float32Array([NaN]) } as const;
    expect(() => outputsJson([nan])).toThrow('holds NaN');
  });
});
