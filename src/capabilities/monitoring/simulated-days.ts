import { drawNormal, seededRandom, type Random } from '../../base/stats/seeded-random.ts';
import { micros } from '../../base/time.ts';
import type { LabelledRequests } from '../predictions/labelled-requests.ts';
import { DAY_MICROS } from './periods.ts';

/** How days of a simulated endpoint differ, and what happens to it. For tests. */
export interface Course {
  readonly seed: number;
  readonly rows: number;
  /** Spread of a day's log-odds of label 1: 0.45 swings a share of 0.15 between 0.06 and 0.28. */
  readonly dayEffect: number;
  /** Spread of how well a day can be predicted. */
  readonly signalEffect: number;
  /** What happens on a day, by its number from 0; nothing by default. */
  readonly on?: (day: number) => Partial<Mishap>;
}

export interface Mishap {
  /** Added to every value of the first feature. */
  readonly shift: number;
  /** Share of rows whose label is turned around. */
  readonly flipped: number;
  /** Share of rows without a label. */
  readonly unlabelled: number;
  /** What the score is told of the outcome, 1 as ever. */
  readonly signal: number;
}

const CALM: Mishap = { shift: 0, flipped: 0, unlabelled: 0, signal: 1 };
export const FEATURES = ['a', 'b', 'c'] as const;
const USUAL_LOGIT = Math.log(0.17 / 0.83);
/** Of the outcome's log-odds on the first feature: an AUC of about 0.75. */
const STRENGTH = 1;

/** One day's requests with their labels, the same for the same seed and day. */
export function simulatedDay(course: Course, day: number): LabelledRequests {
  const random = seededRandom(`${course.seed}/${day}`);
  const mishap = { ...CALM, ...course.on?.(day) };
  const ofDay = course.dayEffect * drawNormal(random);
  const strength = STRENGTH * mishap.signal * (1 + course.signalEffect * drawNormal(random));
  const effects = FEATURES.map(() => 0.3 * drawNormal(random));
  const { rows } = course;
  const features = new Map(FEATURES.map((name) => [name, new Float64Array(rows)]));
  const columns = {
    answeredAt: new Float64Array(rows),
    score: new Float64Array(rows),
    label: new Float64Array(rows),
  };
  for (let row = 0; row < rows; row += 1) {
    columns.answeredAt[row] = day * DAY_MICROS + Math.floor((row / rows) * DAY_MICROS);
    for (const [at, name] of FEATURES.entries()) {
      features.get(name)![row] = drawNormal(random) + effects[at]!;
    }
    const known = features.get('a')![row]! - effects[0]!;
    const { score, label } = outcome(random, { known, ofDay, strength });
    const isFlipped = random() < mishap.flipped;
    features.get('a')![row]! += mishap.shift;
    columns.score[row] = score;
    columns.label[row] = random() < mishap.unlabelled ? NaN : isFlipped ? 1 - label : label;
  }
  return {
    rowCount: rows,
    ...columns,
    version: new Float64Array(rows).fill(1),
    status: new Float64Array(rows).fill(200),
    totalUs: new Float64Array(rows).fill(900),
    labelAt: columns.answeredAt,
    hasDocuments: new Uint8Array(rows).fill(1),
    definition: new Int32Array(rows),
    definitions: ['d'],
    features,
    numbers: new Map(),
    texts: new Map(),
  };
}

/** The model knows the day's level by two thirds, as one with features of the last hours does. */
function outcome(
  random: Random,
  of: { readonly known: number; readonly ofDay: number; readonly strength: number },
): { readonly score: number; readonly label: number } {
  const odds = USUAL_LOGIT + of.ofDay + of.strength * of.known;
  const guess = USUAL_LOGIT + (2 / 3) * of.ofDay + STRENGTH * of.known;
  return { score: 1 / (1 + Math.exp(-guess)), label: random() < 1 / (1 + Math.exp(-odds)) ? 1 : 0 };
}

export function dayPeriod(day: number) {
  return { from: micros(day * DAY_MICROS), until: micros((day + 1) * DAY_MICROS) };
}
