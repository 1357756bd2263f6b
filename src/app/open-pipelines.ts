import type { StepPass } from '../capabilities/pipelines/launcher.ts';
import { PipelinesService } from '../capabilities/pipelines/service.ts';
import { PipelinesStore } from '../capabilities/pipelines/store.ts';
import { DetachedSteps } from '../platform/exec/detached-steps.ts';
import { PythonEnvironments } from '../platform/exec/python-environments.ts';
import { entryFile, processEnv } from '../platform/system.ts';
import type { Platform } from './open-platform.ts';

/** Pipelines on this machine's processes; steps call this very program back. */
export function openPipelines(
  platform: Platform,
  stepPass: StepPass,
  closing: AsyncDisposableStack,
): PipelinesService {
  const { db, events, clock, ids, faults, folder, log } = platform;
  const pipelines = new PipelinesService({
    store: new PipelinesStore(db),
    engine: platform.engine,
    steps: new DetachedSteps(clock),
    environments: new PythonEnvironments({ folder: folder.environments, env: processEnv }),
    events,
    clock,
    ids,
    faults,
    log,
    env: processEnv,
    stepPass,
    stateFolder: folder.root,
    attemptsFolder: folder.attempts,
    program: { node: process.execPath, entry: entryFile(import.meta.url, './main') },
  });
  closing.defer(() => pipelines.stop());
  return pipelines;
}
