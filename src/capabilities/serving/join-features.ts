import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import { readOutputs, type InferEnvelope } from '../../formats/oip/read-request.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import type { AnsweredFeatures } from '../predictions/contract.ts';
import { readFeatureInputs } from './feature-inputs.ts';
import type { FeatureInputs, FeatureVector, ServedFeatures } from './served-features.ts';
import type { WarmModel } from './warm-models.ts';

/** A request by its entities, with the vectors that the model gets. */
export interface Joined {
  readonly inputs: readonly Tensor[];
  /** Names asked for; empty means all. */
  readonly outputs: readonly string[];
  /** For the log. */
  readonly features: AnsweredFeatures;
}

/**
 * Reads the vectors of all rows at one T and makes the model's tensor of them, NaN for what is
 * missing. Throws `INVALID_TENSOR`.
 */
export function joinFeatures(
  envelope: InferEnvelope,
  on: { readonly service: ServedFeatures; readonly warm: WarmModel; readonly at: Micros },
): Joined {
  const { service, warm, at } = on;
  const { inputs, outputs } = warm.loaded.signature;
  const names = outputs.map(({ name }) => name);
  const asked = readOutputs(envelope.body['outputs'], names);
  const rows = readFeatureInputs(envelope, service.inputs);
  const [input] = inputs;
  const fixed = input!.shape[0]!;
  if (fixed !== -1 && fixed !== rows.length) {
    throw new AppError('INVALID_TENSOR', `The request has ${rows.length} rows.`, {
      hint: `The model takes exactly ${fixed}.`,
    });
  }
  const vectors = rows.map((row) => service.read(row, at));
  const width = service.features.length;
  const data = vectorData(vectors, width);
  const tensor: Tensor = { name: input!.name, datatype: 'FP32', shape: [rows.length, width], data };
  return { inputs: [tensor], outputs: asked, features: forLog(service, rows, vectors) };
}

/** Row-major float32. */
export function vectorData(
  vectors: readonly { readonly values: readonly (number | null)[] }[],
  width: number,
): Float32Array {
  const data = new Float32Array(vectors.length * width);
  for (let row = 0; row < vectors.length; row += 1) {
    const { values } = vectors[row]!;
    const start = row * width;
    for (let index = 0; index < width; index += 1) data[start + index] = values[index] ?? NaN;
  }
  return data;
}

function forLog(
  { service, definition }: ServedFeatures,
  rows: readonly FeatureInputs[],
  vectors: readonly FeatureVector[],
): AnsweredFeatures {
  const isOne = rows.length === 1;
  const values = vectors.map((vector) => vector.values);
  return {
    service,
    definition,
    entity: JSON.stringify(isOne ? rows[0] : rows),
    features: JSON.stringify(isOne ? values[0] : values),
    // All rows are read in one turn: nothing moves the tables' versions in between.
    watermark: JSON.stringify(vectors.at(-1)?.watermarks ?? {}),
  };
}
