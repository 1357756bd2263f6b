import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

/** Runs to be searched, made by formulas so that two servers can be given the same ones. */

export interface ManyRun {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly startMs: number;
  readonly metrics: readonly number[];
  readonly params: readonly string[];
  readonly tags: readonly string[];
}

const METRICS = 4;
const PARAMS = 4;
const TAGS = 2;
/** A prime above the number of runs: the values of a metric are all different. */
const PRIME = 1_000_003;
const START_MS = 1_760_000_000_000;

export const USER = 'bench';

export function manyRun(number: number): ManyRun {
  return {
    id: number.toString(16).padStart(32, '0'),
    name: `run-${number}`,
    startMs: START_MS + number * 1000,
    metrics: numbers(METRICS, (at) => ((number * (7919 + 104_729 * at)) % PRIME) / PRIME),
    params: numbers(PARAMS, (at) => String(Math.floor(number / 7 ** at) % 10)),
    tags: numbers(TAGS, (at) => `team-${(number * (at + 3)) % 17}`),
  };
}

/** Newline-delimited JSON, for a program in another language. */
export async function writeManyRuns(file: string, count: number): Promise<void> {
  const stream = createWriteStream(file);
  for (let number = 0; number < count; number += 1) {
    const line = `${JSON.stringify(manyRun(number))}\n`;
    if (!stream.write(line)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

function numbers<Value>(count: number, value: (at: number) => Value): readonly Value[] {
  return Array.from({ length: count }, (_, at) => value(at));
}
