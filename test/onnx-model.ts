/**
 * Small ONNX models written byte by byte, so that tests of serving need no Python. Field numbers
 * are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

const FLOAT = 1;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function bytes(field: number, value: string | Buffer): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function message(field: number, ...parts: Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

function node(op: string, inputs: readonly string[], output: string): Buffer {
  return message(1, ...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(4, op));
}

function constant(name: string, dims: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.from(new Float32Array(values).buffer);
  return message(
    5,
    ...dims.map((dim) => number(1, dim)),
    number(2, FLOAT),
    bytes(8, name),
    bytes(9, raw),
  );
}

/** A float tensor in the signature; null marks the open batch dimension. */
function value(field: 11 | 12, name: string, dims: readonly (number | null)[]): Buffer {
  const shape = message(
    2,
    ...dims.map((dim) => message(1, dim === null ? bytes(2, 'batch') : number(1, dim))),
  );
  return message(field, bytes(1, name), message(2, message(1, number(1, FLOAT), shape)));
}

export interface VersionModelOptions {
  /** What the output `version` answers for every row. */
  readonly version: number;
  /** Weights of the output `score`, one a feature. */
  readonly weights?: readonly number[];
  /** Makes the file larger without changing its answers. */
  readonly paddingFloats?: number;
  /** Takes NaN for 0, as a model that was trained on missing values does. */
  readonly missingAsZero?: boolean;
}

/**
 * Input `x` FP32 [-1, n]; outputs `score` [-1, 1] = x · weights, and `version` [-1, 1], which tells
 * which model computed the answer.
 */
export function versionModel(options: VersionModelOptions): Buffer {
  const { version, weights = [1, 2, 3], paddingFloats = 0, missingAsZero = false } = options;
  const width = weights.length;
  const features = missingAsZero ? 'features' : 'x';
  const padding = Array.from({ length: paddingFloats }, () => 0);
  const graph = message(
    7,
    ...(missingAsZero
      ? [node('IsNaN', ['x'], 'is-missing'), node('Where', ['is-missing', 'zero', 'x'], 'features')]
      : []),
    node('MatMul', [features, 'weights'], 'score'),
    node('MatMul', [features, 'zeros'], 'nothing'),
    ...(paddingFloats > 0
      ? [node('ReduceSum', ['padding'], 'sum'), node('Add', ['nothing', 'sum'], 'padded')]
      : []),
    node('Add', [paddingFloats > 0 ? 'padded' : 'nothing', 'number'], 'version'),
    bytes(2, 'version-model'),
    constant('weights', [width, 1], weights),
    constant(
      'zeros',
      [width, 1],
      weights.map(() => 0),
    ),
    constant('number', [1], [version]),
    ...(missingAsZero ? [constant('zero', [1], [0])] : []),
    ...(paddingFloats > 0 ? [constant('padding', [paddingFloats], padding)] : []),
    value(11, 'x', [null, width]),
    value(12, 'score', [null, 1]),
    value(12, 'version', [null, 1]),
  );
  return Buffer.concat([number(1, 8), graph, message(8, bytes(1, ''), number(2, 13))]);
}
