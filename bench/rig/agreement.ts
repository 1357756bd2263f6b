import { Obstacle } from '../../scripts/progress.mjs';
import { inferBody, type Forest } from './forest.ts';

/** Outputs of all servers must agree this far before anything is timed. */
const TOLERANCE = 1e-5;

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
}

/**
 * Sends every row to a V2 server and compares with what ONNX Runtime answers in Python; returns the
 * largest difference of a probability.
 */
export async function assertAgrees(
  inferUrl: string,
  forest: Forest,
  model: string,
): Promise<number> {
  const expected = forest.models[model]!;
  let largest = 0;
  for (const row of forest.rows.keys()) {
    const response = await fetch(inferUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: inferBody(forest, row),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Obstacle(`${inferUrl}: ${text}`);
    const { outputs } = JSON.parse(text) as Answer;
    const [labels, probabilities] = outputs.map(({ data }) => data);
    largest = Math.max(
      largest,
      ...expected.probabilities[row]!.map((p, index) => Math.abs(p - probabilities![index]!)),
    );
    if (labels![0] !== expected.labels[row] || !(largest <= TOLERANCE)) {
      throw new Obstacle(`${inferUrl} answers row ${row} otherwise than ONNX Runtime: ${text}`);
    }
  }
  return largest;
}
