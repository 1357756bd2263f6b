import type { TrainingState } from './ports.ts';
import {
  end,
  refusalOf,
  type Progress,
  type StepContext,
  type StepDeps,
} from './instance-steps.ts';
import { count, moment, sentence } from './phrases.ts';

/** Starts the pipeline, waits for it, and finds the version it made. */
export async function stepTraining(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { ports, isReplay } = deps;
  const { instance, at, signal } = context;
  const run = instance.course.pipelineRun;
  if (run === null) return start(deps, context);
  let training = await ports.trainer.get(run);
  if (training.state === 'running') {
    if (!isReplay) return 'wait';
    training = await ports.trainer.ended(run, signal);
  }
  // The declared duration, not the real one, decides when a replay goes on.
  if (isReplay && at < instance.course.nextLook) return 'wait';
  return training.state === 'failed'
    ? failed(deps, context, run, training)
    : found(deps, context, run);
}

async function start(deps: StepDeps, context: StepContext): Promise<Progress> {
  const { ports, faults, recorder } = deps;
  const { loop, instance, policy, signal } = context;
  const { stage, evaluation } = instance.course;
  try {
    const pipelineRun = await ports.trainer.start({
      folder: loop.spec.folder ?? null,
      stage: stage ?? policy.pipeline,
      trainUntil: evaluation.from,
      key: `loop/${instance.id}`,
    });
    faults.hit('loop.after-start');
    const course = { ...instance.course, pipelineRun };
    await recorder.move(loop, instance, { change: { course }, decision: null });
    return 'again';
  } catch (thrown) {
    const { message, code } = refusalOf(thrown, signal);
    const inputs = { stage, code };
    return end(deps, context, {
      to: 'failed',
      reason: `the stage ${stage} cannot run: ${message}`,
      inputs,
    });
  }
}

async function failed(
  deps: StepDeps,
  context: StepContext,
  run: string,
  { error }: TrainingState,
): Promise<Progress> {
  const { stage } = context.instance.course;
  const why = error === null ? '' : `: ${error}`;
  return end(deps, context, {
    to: 'failed',
    reason: `the stage ${stage} failed in ${run}${why}`,
    inputs: { stage, pipelineRun: run, error },
  });
}

async function found(deps: StepDeps, context: StepContext, run: string): Promise<Progress> {
  const { ports, recorder } = deps;
  const { loop, instance, at } = context;
  const { model } = instance;
  const { stage } = instance.course;
  const challenger = await ports.candidates.madeBy({ model, pipelineRun: run });
  if (challenger === null || challenger === instance.champion) {
    return end(deps, context, {
      to: 'failed',
      reason: `the stage ${stage} ended well in ${run}, but registered no new version of ${model}`,
      inputs: { stage, pipelineRun: run },
    });
  }
  const trained = await ports.candidates.trainedOn(model, challenger);
  const until = trained.until === null ? '' : `, on data to ${moment(trained.until)}`;
  const reason = sentence(`${stage} made version ${count(challenger)} of ${model}${until}`);
  const inputs = { stage, pipelineRun: run, challenger, trained };
  await recorder.move(loop, instance, {
    change: { state: 'evaluating', challenger },
    decision: { kind: 'trained', at, reason, inputs },
  });
  return 'again';
}
