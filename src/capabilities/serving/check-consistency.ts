import { toAppError } from '../../base/errors.ts';
import { sameValue } from '../../base/same-value.ts';
import { formatInstant } from '../../base/time.ts';
import { sleep } from '../../platform/system.ts';
import type { DeploymentCheck } from './contract.ts';
import type {
  FeatureSource,
  FeatureVector,
  ServedFeatures,
  TrainingRow,
} from './served-features.ts';
import type { VersionOrigin } from './version-origin.ts';
import type { WarmModel } from './warm-models.ts';

/** Newest rows of the training set that are read again: at most 50 ms of work. */
const ROWS_MAX = 1000;
/** Requests are answered in between: as many rows as one of them may have. */
const ROWS_A_TURN = 50;
const EXAMPLES = 3;
/** Rows that differ are recomputed one by one, each a read of the tables of up to a second. */
const RECOMPUTED_MAX = 20;

interface Mismatch {
  readonly row: TrainingRow;
  readonly feature: string;
  readonly trained: number | null;
  readonly served: number | null;
  readonly vector: FeatureVector;
}

/**
 * Reads rows that the model was trained on through the path that will answer, as of their time.
 * Events that came late, or were corrected, since the training set was made change what is right:
 * a row is served wrongly only when the tables, as the online store saw them, give another value.
 */
export async function checkConsistency(
  { version }: Pick<WarmModel, 'version'>,
  on: {
    readonly origin: VersionOrigin | null;
    readonly features: ServedFeatures;
    readonly source: Pick<FeatureSource, 'trainingRows' | 'recompute'>;
  },
): Promise<DeploymentCheck> {
  const about = { name: 'consistency', version: version.version } as const;
  const set = on.origin?.trainingSet ?? null;
  const notDone = (summary: string): DeploymentCheck => ({
    ...about,
    result: 'not_done',
    summary,
    numbers: {},
  });
  if (set === null) return notDone('the run pins no training set to compare with');
  const name = `${set.name}@v${set.version}`;
  let rows: readonly TrainingRow[];
  try {
    rows = await on.source.trainingRows(set, ROWS_MAX);
  } catch (thrown) {
    return notDone(`${name} cannot be read: ${toAppError(thrown).message}`);
  }
  const { compared, mismatches } = await compare(rows, on.features);
  const { wrong, unproven } = await sort(mismatches, on);
  const fresher = mismatches.length - wrong.length - unproven;
  const numbers = { rows: rows.length, compared, mismatched: wrong.length, fresher, unproven };
  if (wrong.length > 0) {
    const shown = wrong.slice(0, EXAMPLES).map(describe).join('; ');
    const summary = `${wrong.length} of ${compared} rows of ${name} are served otherwise: ${shown}`;
    return { ...about, result: 'refused', summary, numbers };
  }
  const older = rows.length - compared;
  const left = older === 0 ? '' : `; ${older} are older than what the online store keeps`;
  if (compared === 0) return notDone(`none of ${rows.length} rows of ${name} compared${left}`);
  const otherwise = mismatches.length;
  const freshness =
    otherwise === 0 ? '' : `; ${otherwise} otherwise, because of events that came since`;
  const sampled = unproven === 0 ? '' : ` (${fresher} of them recomputed)`;
  const summary =
    `${compared - otherwise} newest rows of ${name} are served as they were trained on` +
    `${freshness}${sampled}${left}`;
  return { ...about, result: 'passed', summary, numbers };
}

async function compare(
  rows: readonly TrainingRow[],
  features: ServedFeatures,
): Promise<{ readonly compared: number; readonly mismatches: readonly Mismatch[] }> {
  const mismatches: Mismatch[] = [];
  let compared = 0;
  for (const [index, row] of rows.entries()) {
    if (index % ROWS_A_TURN === ROWS_A_TURN - 1) await sleep(0);
    if (!features.reachesBackTo(row.at)) continue;
    compared += 1;
    const vector = features.read(row.inputs, row.at);
    const { values } = vector;
    const at = features.features.findIndex(
      (_, column) => !sameValue(row.values[column] ?? null, values[column] ?? null),
    );
    if (at === -1) continue;
    const [trained, served] = [row.values[at] ?? null, values[at] ?? null];
    mismatches.push({ row, feature: features.features[at]!, trained, served, vector });
  }
  return { compared, mismatches };
}

/**
 * Which of the rows that differ are wrong. Of many only some are recomputed, spread over all; the
 * others count as those do. What cannot be recomputed is not excused.
 */
async function sort(
  mismatches: readonly Mismatch[],
  on: {
    readonly features: ServedFeatures;
    readonly source: Pick<FeatureSource, 'recompute'>;
  },
): Promise<{ readonly wrong: readonly Mismatch[]; readonly unproven: number }> {
  const { service, definition } = on.features;
  const step = Math.max(1, Math.ceil(mismatches.length / RECOMPUTED_MAX));
  const sample = mismatches.filter((_, index) => index % step === 0);
  const wrong: Mismatch[] = [];
  for (const mismatch of sample) {
    const { row, vector } = mismatch;
    const { watermarks } = vector;
    const request = { service, definition, rows: [row.inputs], at: row.at, watermarks };
    const [values = []] = await on.source.recompute(request).catch(() => []);
    const isRight = vector.values.every(
      (value, column) => values[column] !== undefined && sameValue(value, values[column]),
    );
    if (!isRight) wrong.push(mismatch);
  }
  return { wrong, unproven: mismatches.length - sample.length };
}

function describe({ row, feature, trained, served }: Mismatch): string {
  const entity = Object.entries(row.inputs).map(([name, value]) => `${name}=${value}`);
  const who = `${entity.join(', ')} at ${formatInstant(row.at)}`;
  return `${feature} of ${who} was ${trained}, is ${served}`;
}
