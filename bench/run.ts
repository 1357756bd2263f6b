import { runMain, Obstacle, step } from '../scripts/progress.mjs';
import { run } from '../scripts/run.ts';

/** `npm run bench`: the named benchmarks, by default all, one after the other; then the report. */

const ALL = [
  'start',
  'gateway',
  'journal',
  'interference',
  'training-set',
  'pipelines',
  'online-features',
];

await runMain(async () => {
  const given = process.argv.slice(2);
  for (const name of [...(given.length === 0 ? ALL : given), 'report']) {
    await step(name, async () => {
      const { code } = await run(process.execPath, [`bench/${name}.ts`], { isShown: true });
      if (code !== 0) throw new Obstacle(`bench/${name}.ts ended with ${code}.`);
    });
  }
});
