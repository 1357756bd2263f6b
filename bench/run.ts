import { runMain, Obstacle, say, step } from '../scripts/progress.mjs';
import { run } from '../scripts/run.ts';
import { PROGRAMS } from './rig/programs.ts';

/**
 * `npm run bench`: the named benchmarks, by default all, one after the other; then the report. One
 * that fails keeps its former result, and the others go on. Options go to each of them.
 */

await runMain(async () => {
  const given = process.argv.slice(2);
  const firstOption = given.findIndex((argument) => argument.startsWith('--'));
  const names = firstOption === -1 ? given : given.slice(0, firstOption);
  const options = given.slice(names.length);
  const failed: string[] = [];
  for (const name of names.length === 0 ? PROGRAMS : names) {
    await step(name, () => once(name, options)).catch((thrown: unknown) => {
      say(thrown instanceof Error ? thrown.message : String(thrown));
      failed.push(name);
    });
  }
  await step('report', () => once('report', []));
  if (failed.length > 0) throw new Obstacle(`Not measured: ${failed.join(', ')}.`);
});

async function once(name: string, options: readonly string[]): Promise<void> {
  const args = [`bench/${name}.ts`, ...options];
  const { code } = await run(process.execPath, args, { isShown: true });
  if (code !== 0) throw new Obstacle(`bench/${name}.ts ended with ${code}.`);
}
