import { say } from '../../scripts/progress.mjs';
import { median } from './quantile.ts';
import { untilQuiet } from './quiet.ts';

/** Numbers of one contender, a list of rounds each. */
export type Series<Name extends string> = Readonly<Record<Name, readonly Numbers[]>>;
export type Numbers = Readonly<Record<string, number>>;

/**
 * Measures every contender once a round, each round beginning with another one. The first round
 * warms up and is dropped.
 */
export async function interleaved<Name extends string>(
  on: { readonly rounds: number; readonly patience: number },
  contenders: Readonly<Record<Name, (round: number) => Promise<Numbers>>>,
): Promise<Series<Name>> {
  const names = Object.keys(contenders) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Numbers[]
  >;
  for (let round = 0; round <= on.rounds; round += 1) {
    await untilQuiet(on.patience);
    for (const [index] of names.entries()) {
      const name = names[(index + round) % names.length]!;
      const numbers = await contenders[name](round);
      const shown = Object.entries(numbers).map(([what, value]) => `${what} ${shorten(value)}`);
      say(`  round ${round} ${name.padEnd(12)} ${shown.join(', ')}`);
      if (round > 0) found[name].push(numbers);
    }
  }
  return found;
}

/** The median over the rounds. */
export function middle(rounds: readonly Numbers[], what: string): number {
  return median(rounds.map((numbers) => numbers[what]!));
}

function shorten(value: number): number {
  return Number(value.toPrecision(4));
}
