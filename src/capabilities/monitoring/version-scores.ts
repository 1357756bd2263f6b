import { AppError } from '../../base/errors.ts';
import type { Compared } from './compare-contract.ts';
import type { ComparedLayout, ComparedRows } from './compare-rows.ts';
import { scoreVectors, type OpenModel, type ScoreOf } from './score-vectors.ts';

export interface VersionScoresDeps {
  readonly openModel: OpenModel;
  readonly scoreOf: ScoreOf;
}

/** What a version gives for rows that others answered; rejects where it cannot take them. */
export async function versionScores(
  { openModel, scoreOf }: VersionScoresDeps,
  of: {
    readonly version: Compared;
    readonly modelFile: string;
    readonly rows: Pick<ComparedRows, 'times' | 'columns'>;
    readonly layout: ComparedLayout;
  },
  signal: AbortSignal,
): Promise<Float64Array> {
  const { version, modelFile, rows, layout } = of;
  if (rows.times.length === 0) return new Float64Array(0);
  const model = await openModel(modelFile);
  try {
    const [tensor] = model.signature.inputs;
    const isNamed = layout !== null && layout !== 'any';
    const names = isNamed ? layout.features : tensorNames(tensor);
    const missing = new Float64Array(rows.times.length).fill(NaN);
    const columns = names.map((name) => rows.columns.get(name) ?? missing);
    const scores = await scoreVectors(model, columns, scoreOf, signal);
    if (scores !== null) return scores;
    throw new AppError('NOT_SUPPORTED', `Version ${version} cannot be scored on these rows.`, {
      hint:
        `Models are that take the ${names.length} features as one tensor of floats and answer ` +
        'with one number or the probabilities of two classes.',
    });
  } finally {
    await model.release();
  }
}

/** As the reader of the log names the values of a tensor. */
function tensorNames(
  tensor: { readonly name: string; readonly shape: readonly number[] } | undefined,
): readonly string[] {
  const width = tensor?.shape[1] ?? 1;
  if (tensor === undefined || width < 1) return [];
  if (width === 1) return [tensor.name];
  return Array.from({ length: width }, (_, column) => `${tensor.name}[${column}]`);
}
