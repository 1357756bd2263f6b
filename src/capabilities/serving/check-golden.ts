import { AppError, toAppError } from '../../base/errors.ts';
import type { Tensor } from '../../formats/oip/tensor.ts';
import type { DeploymentCheck } from './contract.ts';
import { readGolden, type GoldenTable } from './golden-table.ts';
import { vectorData } from './join-features.ts';
import type { ServedFeatures } from './served-features.ts';
import type { VersionOrigin } from './version-origin.ts';
import type { WarmModel } from './warm-models.ts';

/** What an exported model may answer otherwise than the one it was exported from. */
const DELTA_MAX = 1e-5;
/** Where a probability becomes a decision. */
const DECISION = 0.5;
/** As many rows as one request may have: no run holds the loop for longer than that. */
const BATCH = 100;

interface Differences {
  readonly maxDelta: number;
  readonly flips: number;
}

/** Runs the training side's own requests through the model as it is served. */
export async function checkGolden(
  warm: Pick<WarmModel, 'version' | 'loaded'>,
  on: { readonly origin: VersionOrigin | null; readonly features: ServedFeatures },
): Promise<DeploymentCheck> {
  const about = { name: 'golden', version: warm.version.version } as const;
  const value = (await on.origin?.golden()) ?? null;
  if (value === null) {
    const summary = 'the run has no golden.json to compare answers with';
    return { ...about, result: 'not_done', summary, numbers: {} };
  }
  const golden = readGolden(value, on.features.features);
  if (typeof golden === 'string') {
    return { ...about, result: 'refused', summary: golden, numbers: {} };
  }
  const count = golden.predictions.length;
  if (count === 0) {
    return { ...about, result: 'not_done', summary: 'golden.json has no rows', numbers: {} };
  }
  try {
    const { maxDelta, flips } = compare(golden, await answers(warm, golden));
    // Infinity has no JSON form.
    const delta = Number.isFinite(maxDelta) ? { maxDelta } : {};
    const numbers = { requests: count, ...delta, flips };
    const summary =
      `${count} golden requests: max |Δ| ${maxDelta.toExponential(1)}, ` +
      `${flips} decisions flipped`;
    if (maxDelta <= DELTA_MAX) return { ...about, result: 'passed', summary, numbers };
    return { ...about, result: 'refused', summary: `${summary}; allowed is ${DELTA_MAX}`, numbers };
  } catch (thrown) {
    const summary = `golden requests cannot be answered: ${toAppError(thrown).message}`;
    return { ...about, result: 'refused', summary, numbers: { requests: count } };
  }
}

/** The model's answer to each row, one number a row. */
async function answers(
  { loaded }: Pick<WarmModel, 'loaded'>,
  { vectors }: GoldenTable,
): Promise<readonly number[]> {
  const [input] = loaded.signature.inputs;
  const fixed = input!.shape[0]!;
  const size = fixed === -1 ? BATCH : fixed;
  const width = vectors[0]!.values.length;
  const found: number[] = [];
  for (let start = 0; start < vectors.length; start += size) {
    const rows = vectors.slice(start, start + size);
    // A model of a fixed batch is given the last row again and again.
    const padded =
      fixed === -1 ? rows : Array.from({ length: size }, (_, at) => rows[at] ?? rows.at(-1)!);
    const shape = [padded.length, width];
    const data = vectorData(padded, width);
    const tensor: Tensor = { name: input!.name, datatype: 'FP32', shape, data };
    const outputs = await loaded.run([tensor], []);
    found.push(...scores(outputs, padded.length).slice(0, rows.length));
  }
  return found;
}

/** The first output of real numbers: one column, or the second of two (the class that is meant). */
function scores(outputs: readonly Tensor[], rows: number): readonly number[] {
  const real = outputs.find(({ datatype }) => datatype === 'FP32' || datatype === 'FP64');
  const data = real === undefined ? [] : Array.from(real.data as Float32Array);
  const width = data.length / rows;
  if (width === 1) return data;
  if (width === 2) return Array.from({ length: rows }, (_, row) => data[row * 2 + 1]!);
  throw new AppError('INVALID_OUTPUT', `The model answers ${width} numbers a row.`);
}

function compare({ predictions }: GoldenTable, answered: readonly number[]): Differences {
  let [maxDelta, flips] = [0, 0];
  for (const [index, expected] of predictions.entries()) {
    const answer = answered[index]!;
    const delta = Math.abs(answer - expected);
    // NaN compares as no difference at all.
    if (!(delta <= maxDelta)) maxDelta = Number.isNaN(delta) ? Infinity : delta;
    if (answer >= DECISION !== expected >= DECISION) flips += 1;
  }
  return { maxDelta, flips };
}
