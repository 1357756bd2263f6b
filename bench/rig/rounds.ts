import { untilQuiet } from './quiet.ts';

/** A measurement of one thing in one round of all things. */
export interface InRound {
  /** From 0, which warms up. */
  readonly round: number;
  /** What else the machine did meanwhile, in cores. */
  readonly othersCores: number;
}

/** More than this beside a measurement disturbs it; its round is then repeated. */
export const OTHERS_CORES_MAX = 0.15;
const TRIES = 3;
/** Fewer undisturbed rounds than this say less than all rounds do. */
const QUIET_ROUNDS_MIN = 4;

/** Measures rounds until `rounds` of them, after the first, were undisturbed. */
export async function repeatRounds<One extends InRound>(
  on: { readonly rounds: number; readonly patience: number },
  once: (round: number) => Promise<readonly One[]>,
): Promise<readonly One[]> {
  const all: One[] = [];
  let quiet = 0;
  for (let round = 0; quiet < on.rounds && round <= on.rounds * TRIES; round += 1) {
    await untilQuiet(on.patience);
    const measured = await once(round);
    if (round > 0 && measured.every(isQuiet)) quiet += 1;
    all.push(...measured);
  }
  return all;
}

export interface Counted<One extends InRound> {
  readonly rounds: readonly One[];
  /** For the result file: how many count, and whether they are all undisturbed. */
  readonly about: { readonly roundsCounted: number; readonly areUndisturbed: boolean };
}

/** The undisturbed rounds; all but the first when there are too few of those. */
export function countedRounds<One extends InRound>(all: readonly One[]): Counted<One> {
  const warm = all.filter((one) => one.round > 0);
  const disturbed = new Set(warm.filter((one) => !isQuiet(one)).map((one) => one.round));
  const quiet = warm.filter((one) => !disturbed.has(one.round));
  const rounds = countRounds(quiet) >= Math.min(QUIET_ROUNDS_MIN, countRounds(warm)) ? quiet : warm;
  return {
    rounds,
    about: { roundsCounted: countRounds(rounds), areUndisturbed: rounds.every(isQuiet) },
  };
}

function countRounds(ones: readonly InRound[]): number {
  return new Set(ones.map((one) => one.round)).size;
}

function isQuiet(one: InRound): boolean {
  return one.othersCores <= OTHERS_CORES_MAX;
}
