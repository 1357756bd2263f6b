import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, type Ran } from './run.ts';
import { buildWeb } from './web.ts';

/** Something that holds for the whole tree, or does not. */
export interface Check {
  readonly name: string;
  run(): Promise<Ran>;
}

/** Every check but the tests themselves, which may rely on what is built here. */
export function checks(): readonly Check[] {
  return [
    { name: 'web UI builds', run: buildWeb },
    command('formatted (prettier)', 'prettier', ['--check', '.']),
    command('linted (oxlint)', 'oxlint', ['--type-aware']),
    command('typed (tsc)', 'tsc', ['-b']),
    command('nothing unused (knip)', 'knip', []),
    ...generated(),
  ];
}

function command(name: string, program: string, args: readonly string[]): Check {
  return { name, run: () => run(program, args) };
}

function generated(): readonly Check[] {
  const script = 'scripts/generate.ts';
  if (!existsSync(join(ROOT, script))) return [];
  return [command('generated files fresh', process.execPath, [script, '--check'])];
}

/** Two cores: a second check fills the waits of the first. */
const AT_ONCE = 2;

/** Runs the checks and tells of each as it ends. */
export async function runChecks(
  all: readonly Check[],
  onEnd: (check: Check, ran: Ran, seconds: number) => void,
): Promise<void> {
  const waiting = [...all];
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const start = performance.now();
      const ran = await check.run();
      onEnd(check, ran, (performance.now() - start) / 1000);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
