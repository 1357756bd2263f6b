import { handOver } from './hand-over.mjs';
import { Obstacle, runMain, step } from './progress.mjs';
import { childEnv } from './run.ts';
import { buildWeb, isWebFresh } from './web.ts';

/** `npm start`: the quickstart, from source, with a fresh web UI. */
await runMain(async () => {
  if (!isWebFresh()) {
    await step('web UI', async () => {
      const { code, output } = await buildWeb();
      if (code !== 0) throw new Obstacle(`${output}\nThe web UI does not build.`);
    });
  }
  const args = ['src/app/main.ts', 'quickstart', ...process.argv.slice(2)];
  handOver(process.execPath, args, childEnv());
});
