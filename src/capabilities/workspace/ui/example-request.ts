import type { TensorSpec } from '../../registry/contract.ts';

/** Stands for the input of a model that is not known yet. */
const PLACEHOLDER: TensorSpec = { name: 'INPUT', datatype: 'FP32', shape: [1, 3] };
/** Past this the values do not fit a command line that anyone reads; they come from a file. */
const VALUES_MAX = 64;

/** A curl command for the V2 infer route that fits a model's inputs; free dimensions are 1. */
export function exampleRequest(
  origin: string,
  endpoint: string,
  inputs: readonly TensorSpec[],
): string {
  const shown = inputs.length === 0 ? [PLACEHOLDER] : inputs;
  const isShort = shown.every((input) => elements(input) <= VALUES_MAX);
  const body = JSON.stringify({ inputs: isShort ? shown.map(exampleTensor) : [] });
  const data = isShort ? `'${body.replaceAll("'", String.raw`'\''`)}'` : '@request.json';
  return `curl ${origin}/v2/models/${endpoint}/infer -H 'content-type: application/json' -d ${data}`;
}

function elements({ shape }: TensorSpec): number {
  return shape.reduce((product, length) => product * Math.max(1, length), 1);
}

function exampleTensor(spec: TensorSpec): object {
  const value = spec.datatype === 'BYTES' ? 'text' : spec.datatype === 'BOOL' ? false : 0;
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: spec.shape.map((length) => (length === -1 ? 1 : length)),
    data: Array.from({ length: elements(spec) }, () => value),
  };
}
