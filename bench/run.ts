import { runMain, Obstacle, say, step } from '../scripts/progress.mjs';
import { run } from '../scripts/run.ts';
import { PROGRAMS } from './rig/programs.ts';

/**
 * `npm run bench`: the named benchmarks, by default all, one after the other; then the report. One
 * that fails keeps its former result, and the others go on.
 */

await runMain(async () => {
  const given = process.argv.slice(2);
  const failed: string[] = [];
  for (const name of given.length === 0 ? PROGRAMS : given) {
    await step(name, () => once(name)).catch((thrown: unknown) => {
      say(thrown instanceof Error ? thrown.message : String(thrown));
      failed.push(name);
    });
  }
  await step('report', () => once('report'));
  if (failed.length > 0) throw new Obstacle(`Not measured: ${failed.join(', ')}.`);
});

async function once(name: string): Promise<void> {
  const { code } = await run(process.execPath, [`bench/${name}.ts`], { isShown: true });
  if (code !== 0) throw new Obstacle(`bench/${name}.ts ended with ${code}.`);
}
