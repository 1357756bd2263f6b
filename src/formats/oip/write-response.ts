import { AppError } from '../../base/errors.ts';
import type { Tensor } from './tensor.ts';

/** The `outputs` array of an inference response as JSON text, data flat and row-major. */
export function outputsJson(tensors: readonly Tensor[]): string {
  let text = '[';
  for (const [index, tensor] of tensors.entries()) {
    if (index > 0) text += ',';
    text += `{"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}",`;
    text += `"shape":[${tensor.shape.join(',')}],"data":[${dataJson(tensor)}]}`;
  }
  return `${text}]`;
}

/** JSON has no NaN or Infinity: an answer that holds one is an error, never a silent null. */
function dataJson(tensor: Tensor): string {
  const { data, datatype } = tensor;
  if (Array.isArray(data)) return data.map((value) => JSON.stringify(value)).join(',');
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (bit) => bit === 1).join(',');
  if (datatype === 'FP32' || datatype === 'FP64') {
    for (const value of data as Float32Array) {
      if (Number.isFinite(value)) continue;
      throw new AppError('INVALID_OUTPUT', `Output ${tensor.name} holds ${value}.`, {
        hint: 'The model answered a number that JSON cannot carry; check its inputs.',
      });
    }
  }
  return data.join(',');
}
