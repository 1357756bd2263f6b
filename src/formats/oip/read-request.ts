import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { allocate, INTEGER_RANGE, type Datatype, type Tensor, type TensorSpec } from './tensor.ts';

/** Elements of one tensor in JSON: 64 MB of FP32; larger ones would block the loop for seconds. */
export const ELEMENTS_MAX = 4_000_000;
const RANK_MAX = 16;
const PARAMETERS_MAX = 100;
/** Name and value: parameters carry keys and switches, data goes into tensors. */
const PARAMETER_CHARS_MAX = 4096;

export type ParameterValue = string | number | boolean;

export interface InferRequest extends RequestHead {
  /** In the order of the signature. */
  readonly inputs: readonly Tensor[];
  /** Names asked for; empty means all. */
  readonly outputs: readonly string[];
}

/** What routing needs of a request. */
export interface RequestHead {
  readonly id: string | null;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** A request before its model is known. */
export interface InferEnvelope extends RequestHead {
  readonly body: Readonly<Record<string, unknown>>;
}

function invalid(message: string, hint?: string): AppError {
  return new AppError('INVALID_TENSOR', message, hint === undefined ? {} : { hint });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NO_PARAMETERS: Readonly<Record<string, ParameterValue>> = Object.freeze({});

/** Checks the outer form of `POST /v2/models/NAME/infer` ("Inference Request JSON Object"). */
export function readEnvelope(body: unknown): InferEnvelope {
  if (!isRecord(body)) throw invalid('The body must be a JSON object with `inputs`.');
  const { id } = body;
  if (id !== undefined && typeof id !== 'string') throw invalid('`id` must be a string.');
  if (!Array.isArray(body['inputs'])) throw invalid('`inputs` must be an array of tensors.');
  return { id: id ?? null, parameters: readParameters(body['parameters']), body };
}

function readParameters(value: unknown): Readonly<Record<string, ParameterValue>> {
  if (value === undefined) return NO_PARAMETERS;
  if (!isRecord(value)) throw invalid('`parameters` must be an object.');
  let count = 0;
  // Not `Object.entries`: of a million parameters it would copy all to refuse them.
  for (const name in value) {
    count += 1;
    if (count > PARAMETERS_MAX) {
      throw invalid(`\`parameters\` has more than ${PARAMETERS_MAX} entries.`);
    }
    const entry = value[name];
    const kind = typeof entry;
    if (kind !== 'string' && kind !== 'number' && kind !== 'boolean') {
      throw invalid(`Parameter ${name.slice(0, 100)} must be a string, number or boolean.`);
    }
    if (typeof entry === 'number' && !isExact(entry)) {
      throw invalid(
        `Parameter ${name.slice(0, 100)} is a number that JSON does not carry exactly.`,
        'Send it as a string.',
      );
    }
    if (name.length + String(entry).length > PARAMETER_CHARS_MAX) {
      throw invalid(`A parameter has more than ${PARAMETER_CHARS_MAX} characters.`);
    }
  }
  return value as Record<string, ParameterValue>;
}

/** False for what JSON's readers round: a key must not become another one. */
function isExact(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

/** A reader for one signature: built once per deployment, run once per request. */
export function compileReader(signature: {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}): (envelope: InferEnvelope) => InferRequest {
  const inputNames = signature.inputs.map((spec) => spec.name);
  const outputNames = signature.outputs.map((spec) => spec.name);
  return (envelope) => {
    const given = indexByName(envelope.body['inputs'] as unknown[], inputNames);
    const inputs = signature.inputs.map((spec) => {
      const tensor = given.get(spec.name);
      if (tensor === undefined) throw invalid(`Input ${spec.name} is missing.`, expected(spec));
      return readTensor(tensor, spec);
    });
    const outputs = readOutputs(envelope.body['outputs'], outputNames);
    return { id: envelope.id, parameters: envelope.parameters, inputs, outputs };
  };
}

function expected(spec: TensorSpec): string {
  return `Expected ${spec.name}: ${spec.datatype} of shape [${spec.shape.join(', ')}] (-1: any).`;
}

export function indexByName(
  tensors: readonly unknown[],
  known: readonly string[],
): ReadonlyMap<string, Record<string, unknown>> {
  const byName = new Map<string, Record<string, unknown>>();
  for (const tensor of tensors) {
    if (!isRecord(tensor) || typeof tensor['name'] !== 'string') {
      throw invalid('Every input needs `name`, `shape`, `datatype` and `data`.');
    }
    const name = tensor['name'];
    if (!known.includes(name)) throw unknownName('input', name, known);
    if (byName.has(name)) throw invalid(`Input ${name} is given twice.`);
    byName.set(name, tensor);
  }
  return byName;
}

function unknownName(kind: string, name: string, known: readonly string[]): AppError {
  const near = nearestName(name, known);
  return invalid(
    `The model has no ${kind} named ${JSON.stringify(name.slice(0, 100))}.`,
    near === null ? `It has ${known.join(', ')}.` : `Did you mean ${near}?`,
  );
}

export function readOutputs(value: unknown, known: readonly string[]): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid('`outputs` must be an array.');
  const names = new Set<string>();
  for (const output of value) {
    const name: unknown = isRecord(output) ? output['name'] : undefined;
    if (typeof name !== 'string') throw invalid('Every requested output needs a `name`.');
    if (!known.includes(name)) throw unknownName('output', name, known);
    if (names.has(name)) throw invalid(`Output ${name} is requested twice.`);
    names.add(name);
  }
  return [...names];
}

export function readTensor(tensor: Readonly<Record<string, unknown>>, spec: TensorSpec): Tensor {
  const { name, datatype } = spec;
  if (tensor['datatype'] !== datatype) {
    const given = JSON.stringify(tensor['datatype'])?.slice(0, 40) ?? 'nothing';
    throw invalid(`Input ${name} has datatype ${given}, not ${datatype}.`, expected(spec));
  }
  const shape = readShape(tensor['shape'], spec);
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  const { data } = tensor;
  if (!Array.isArray(data))
    throw invalid(`Input ${name} needs \`data\`, an array.`, expected(spec));
  const values = allocate(datatype, length);
  const fill = filler(spec, values as unknown[]);
  const isNested = Array.isArray(data[0]);
  const filled = isNested ? fillNested(data, shape, { fill, name }) : fillFlat(data, length, fill);
  if (filled !== length) {
    throw invalid(
      `Input ${name} has ${filled} elements where its shape [${shape.join(', ')}] holds ${length}.`,
    );
  }
  return { name, datatype, shape, data: values };
}

function readShape(value: unknown, spec: TensorSpec): readonly number[] {
  const { name } = spec;
  if (!Array.isArray(value))
    throw invalid(`Input ${name} needs \`shape\`, an array.`, expected(spec));
  if (value.length > RANK_MAX) throw invalid(`Input ${name} has more than ${RANK_MAX} dimensions.`);
  let elements = 1;
  for (const dimension of value as unknown[]) {
    if (!Number.isSafeInteger(dimension) || (dimension as number) < 0) {
      throw invalid(`Input ${name} has a dimension that is not a whole number of 0 or more.`);
    }
    elements *= dimension as number;
    // Checked at every step, so that no product overflows and nothing is allocated for it.
    if (elements > ELEMENTS_MAX) {
      throw invalid(`Input ${name} has more than ${ELEMENTS_MAX} elements.`);
    }
  }
  const shape = value as number[];
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((dimension, index) => dimension === -1 || dimension === shape[index]);
  if (!fits) {
    throw invalid(`Input ${name} has shape [${shape.join(', ')}].`, expected(spec));
  }
  return shape;
}

/** Stores one element at an index, or refuses it; the index is the row-major position. */
type Fill = (value: unknown, index: number) => void;

function fillFlat(data: readonly unknown[], length: number, fill: Fill): number {
  if (data.length !== length) return data.length;
  for (let index = 0; index < length; index += 1) fill(data[index], index);
  return length;
}

function fillNested(
  data: readonly unknown[],
  shape: readonly number[],
  options: { readonly fill: Fill; readonly name: string },
): number {
  const { fill, name } = options;
  let index = 0;
  const visit = (part: unknown, depth: number): void => {
    if (depth === shape.length) {
      fill(part, index);
      index += 1;
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[depth]) {
      throw invalid(`Input ${name}: nested data does not have the shape [${shape.join(', ')}].`);
    }
    for (const child of part) visit(child, depth + 1);
  };
  visit(data, 0);
  return index;
}

function filler(spec: TensorSpec, values: unknown[]): Fill {
  const { name, datatype } = spec;
  const refuse = (value: unknown, index: number, why: string): never => {
    const shown = JSON.stringify(value)?.slice(0, 60) ?? String(value);
    throw invalid(`Input ${name}, element ${index}: ${shown} ${why}.`);
  };
  switch (datatype) {
    case 'BOOL':
      return (value, index) => {
        if (typeof value !== 'boolean') refuse(value, index, 'is not true or false');
        values[index] = value === true ? 1 : 0;
      };
    case 'BYTES':
      return (value, index) => {
        if (typeof value !== 'string') refuse(value, index, 'is not a string');
        values[index] = value;
      };
    case 'FP32':
    case 'FP64':
      return (value, index) => {
        if (typeof value !== 'number') refuse(value, index, 'is not a number');
        values[index] = value;
        if (!Number.isFinite(values[index])) refuse(value, index, `is not finite as ${datatype}`);
      };
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
    case 'UINT64':
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
      return integerFiller(datatype, values, refuse);
  }
}

function integerFiller(
  datatype: Datatype,
  values: unknown[],
  refuse: (value: unknown, index: number, why: string) => never,
): Fill {
  const [least, most] = INTEGER_RANGE[datatype]!;
  const isBig = datatype === 'INT64' || datatype === 'UINT64';
  return (value, index) => {
    const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
    if (!fits) refuse(value, index, `is not an ${datatype} that JSON carries exactly`);
    values[index] = isBig ? BigInt(value as number) : value;
  };
}
