import { describe, expect, test } from 'vitest';
import { readSignatureColumns } from './mlmodel.ts';

function mlmodel(inputs: string): string {
  return `flavors:\n  onnx:\n    data: model.onnx\nsignature:\n  inputs: '${inputs}'\n  outputs: null\n`;
}

describe('the columns of a signature', () => {
  test('are its names in their order', () => {
    const inputs =
      '[{"type": "double", "name": "b", "required": true}, {"type": "long", "name": "a"}]';
    expect(readSignatureColumns(mlmodel(inputs))).toEqual(['b', 'a']);
  });

  test.each([
    ['of tensors', mlmodel('[{"type": "tensor", "name": "x", "tensor-spec": {}}]')],
    ['without names', mlmodel('[{"type": "double"}]')],
    ['that is none', 'flavors: {}\n'],
    ['that is no JSON', mlmodel('nonsense')],
    ['of a file that is no YAML', '\t: ['],
  ])('are not known %s', (_, text) => {
    expect(readSignatureColumns(text)).toBeNull();
  });
});
