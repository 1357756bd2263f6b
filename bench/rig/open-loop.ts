import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Obstacle } from '../../scripts/progress.mjs';
import { CACHE, run } from '../../scripts/run.ts';
import type { OpenLoop, OpenLoopOutcome } from './open-loop-process.ts';

const ENTRY = fileURLToPath(new URL('./open-loop-process.ts', import.meta.url));

/** Runs the open-loop generator in a process of its own on the given core. */
export async function openLoop(load: OpenLoop, core: number): Promise<OpenLoopOutcome> {
  const file = join(CACHE, 'bench-open-loop.json');
  writeFileSync(file, JSON.stringify(load));
  const { code, output } = await run('taskset', ['-c', `${core}`, process.execPath, ENTRY, file]);
  if (code !== 0) throw new Obstacle(`${output}\nThe load generator ended with ${code}.`);
  return JSON.parse(output) as OpenLoopOutcome;
}
