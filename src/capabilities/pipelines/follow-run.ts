import type { Api } from '../../platform/cli/context.ts';
import type { Output } from '../../platform/cli/output.ts';
import { sleep } from '../../platform/system.ts';
import { getPipelineRun, type PipelineRun, type PipelineStep } from './contract.ts';

/** Fast enough to look alive, slow enough to cost nothing. */
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 500;
const OVER: ReadonlySet<PipelineRun['state']> = new Set(['succeeded', 'failed', 'cancelled']);

/**
 * Prints a line for each stage as it begins and ends; returns the run when it is over, or as it is
 * when the signal aborts.
 */
export async function followRun(
  api: Api,
  id: string,
  { out, signal }: { readonly out: Output; readonly signal?: AbortSignal },
): Promise<PipelineRun> {
  const told = new Map<string, string>();
  const tell = (key: string, text: string): void => {
    if (told.get(key) === text) return;
    told.set(key, text);
    out.line(text);
  };
  for (let delay = LOOK_MS_MIN; ; delay = Math.min(LOOK_MS_MAX, delay * 1.2)) {
    const run = await api.call(getPipelineRun, { params: { run: id } });
    if (run.waitsFor !== null) tell('', `  waits for run ${run.waitsFor} of the same folder`);
    if (run.activity !== null) tell('', `  environment  ${run.activity}`);
    const width = Math.max(0, ...run.steps.map(({ stage }) => stage.length));
    for (const step of run.steps) {
      const text = stepLine(step);
      if (text !== null) tell(step.stage, `  ${step.stage.padEnd(width)}  ${text}`);
    }
    if (OVER.has(run.state) || signal?.aborted === true) return run;
    // Woken early it looks once more.
    await sleep(delay, signal).catch(() => undefined);
  }
}

/** Null for a stage of which there is nothing to say yet. */
export function stepLine(step: PipelineStep): string | null {
  const why = step.reasons.join('; ');
  const { state } = step;
  if (state === 'waiting') return null;
  if (state === 'running') {
    const attempt = step.attempts.length;
    return `runs: ${why}${attempt > 1 ? ` (attempt ${attempt})` : ''}`;
  }
  if (state === 'cached' || state === 'restored') {
    return `${state} (${why})`;
  }
  if (state === 'succeeded') return `done in ${seconds(step)} s`;
  return state;
}

function seconds(step: PipelineStep): string {
  const last = step.attempts.at(-1);
  if (last === undefined || last.endedAt === null) return '?';
  return ((Date.parse(last.endedAt) - Date.parse(last.startedAt)) / 1000).toFixed(1);
}
