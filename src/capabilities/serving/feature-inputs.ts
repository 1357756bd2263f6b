import { AppError } from '../../base/errors.ts';
import { indexByName, readTensor, type InferEnvelope } from '../../formats/oip/read-request.ts';
import type { Datatype, Tensor, TensorSpec } from '../../formats/oip/tensor.ts';
import type { FeatureInput, FeatureInputs } from './served-features.ts';

/**
 * Rows of one request whose features are joined: reading them holds the event loop, at some 50 us a
 * row. Larger batches are sent as several requests.
 */
export const JOINED_ROWS_MAX = 100;

const INTEGERS = [
  'INT64',
  'INT32',
  'INT16',
  'INT8',
  'UINT64',
  'UINT32',
  'UINT16',
  'UINT8',
] as const;
/** What each type may come as; the first is what the metadata names. */
const DATATYPES: Readonly<Record<FeatureInput['type'], readonly Datatype[]>> = {
  string: ['BYTES'],
  long: INTEGERS,
  double: ['FP64', 'FP32', ...INTEGERS],
  boolean: ['BOOL'],
};

/** The inputs of a service as tensors of V2's metadata. */
export function inputSpecs(inputs: readonly FeatureInput[]): readonly TensorSpec[] {
  return inputs.map(({ name, type }) => ({ name, datatype: DATATYPES[type][0]!, shape: [-1] }));
}

/**
 * The rows of a request: every input once, as a tensor of shape [n] or [n, 1], none of them null.
 * Throws `INVALID_TENSOR`, naming the input and what it should be.
 */
export function readFeatureInputs(
  envelope: InferEnvelope,
  inputs: readonly FeatureInput[],
): readonly FeatureInputs[] {
  const names = inputs.map(({ name }) => name);
  const given = indexByName(envelope.body['inputs'] as unknown[], names);
  const columns = inputs.map((input) => {
    const tensor = given.get(input.name);
    if (tensor === undefined) throw invalid(`Input ${input.name} is missing.`, expected(input));
    return readColumn(tensor, input);
  });
  const count = rowCount(columns, inputs);
  return Array.from({ length: count }, (_, row) =>
    // Not by assignment: an input may be named like something that objects inherit.
    Object.fromEntries(columns.map((column, index) => [names[index]!, column[row]!])),
  );
}

function invalid(message: string, hint: string): AppError {
  return new AppError('INVALID_TENSOR', message, { hint });
}

function expected({ name, type }: FeatureInput): string {
  return `Expected ${name}: ${DATATYPES[type].join(' or ')} of shape [n] or [n, 1], one value a row.`;
}

type Column = readonly (string | number | boolean)[];

function readColumn(tensor: Readonly<Record<string, unknown>>, input: FeatureInput): Column {
  const { name, type } = input;
  const { datatype, shape } = tensor;
  const known = DATATYPES[type].find((allowed) => allowed === datatype);
  if (known === undefined) {
    const given = JSON.stringify(datatype)?.slice(0, 40) ?? 'nothing';
    throw invalid(`Input ${name} has datatype ${given}.`, expected(input));
  }
  const isColumn = Array.isArray(shape) && shape.length === 2 && shape[1] === 1;
  if (Array.isArray(shape) && shape.length !== 1 && !isColumn) {
    throw invalid(
      `Input ${name} has shape ${JSON.stringify(shape).slice(0, 60)}.`,
      expected(input),
    );
  }
  const spec = { name, datatype: known, shape: isColumn ? [-1, 1] : [-1] };
  return values(readTensor(tensor, spec), input);
}

function values({ data, name }: Tensor, input: FeatureInput): Column {
  switch (input.type) {
    case 'string':
      for (const text of data as readonly string[]) {
        if (text.isWellFormed()) continue;
        throw invalid(`Input ${name} holds text that is not valid Unicode.`, expected(input));
      }
      return data as readonly string[];
    case 'boolean':
      return Array.from(data as Uint8Array, (bit) => bit === 1);
    case 'long':
    case 'double':
      return Array.from(data as Float64Array | BigInt64Array, Number);
  }
}

function rowCount(columns: readonly Column[], inputs: readonly FeatureInput[]): number {
  const count = columns[0]?.length ?? 1;
  for (const [index, column] of columns.entries()) {
    if (column.length === count) continue;
    const { name } = inputs[index]!;
    throw invalid(
      `Input ${name} has ${column.length} rows where ${inputs[0]!.name} has ${count}.`,
      'All inputs of a request have one value a row.',
    );
  }
  if (count <= JOINED_ROWS_MAX) return count;
  throw invalid(
    `The request has ${count} rows; with features it may have ${JOINED_ROWS_MAX}.`,
    'Send several requests.',
  );
}
