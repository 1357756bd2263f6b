import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '../../formats/oip/tensor.ts';
import type { ModelSignature } from '../../platform/inference/port.ts';

/** A model as the engine holds it for as long as it scores with it. */
export interface ScoringModel {
  readonly signature: ModelSignature;
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]>;
  release(): Promise<void>;
}

/** Opens a model file (absolute path). */
export type OpenModel = (file: string) => Promise<ScoringModel>;

/** The number a row that an answer means; null when there is no one number. */
export type ScoreOf = (outputs: readonly Tensor[]) => Float64Array | null;

const BATCH_ROWS = 1024;

/**
 * What a model gives for vectors that are held as columns in the model's own order. Null for a
 * model that does not take them as one float tensor `[n, columns]`, or whose answer is no number.
 */
export async function scoreVectors(
  model: ScoringModel,
  columns: readonly Float64Array[],
  scoreOf: ScoreOf,
  signal: AbortSignal,
): Promise<Float64Array | null> {
  const [input] = model.signature.inputs;
  const width = columns.length;
  const takesRows =
    input !== undefined &&
    model.signature.inputs.length === 1 &&
    (input.datatype === 'FP32' || input.datatype === 'FP64') &&
    input.shape.length === 2 &&
    (input.shape[1] === -1 || input.shape[1] === width);
  if (!takesRows) return null;
  const rows = columns[0]?.length ?? 0;
  const scores = new Float64Array(rows);
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    signal.throwIfAborted();
    const count = Math.min(BATCH_ROWS, rows - from);
    const Values = input.datatype === 'FP32' ? Float32Array : Float64Array;
    const data = new Values(count * width);
    for (const [at, values] of columns.entries()) {
      for (let row = 0; row < count; row += 1) data[row * width + at] = values[from + row]!;
    }
    const { name, datatype } = input;
    const found = scoreOf(await model.run([{ name, datatype, shape: [count, width], data }], []));
    if (found === null) return null;
    scores.set(found, from);
    // Each batch holds the engine for milliseconds; others have their turn in between.
    await setImmediate();
  }
  return scores;
}
