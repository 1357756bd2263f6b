import { createHash } from 'node:crypto';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import { entryHash, LockFile } from '../../formats/dvc/lock-file.ts';
import { resolveStages } from '../../formats/dvc/resolve-stages.ts';
import { StageGraph } from '../../formats/dvc/stage-graph.ts';
import type { Stage } from '../../formats/dvc/stage.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { StateFolder } from '../../platform/state/state-folder.ts';
import type { Env } from '../../platform/system.ts';
import { dvcCacheFolder } from './dvc-config.ts';
import { FileHashes } from './file-hashes.ts';
import { inspectStage, type FormerRun } from './inspect-stage.ts';
import { ObjectCache } from './object-cache.ts';
import { Project } from './project.ts';
import { PipelineSettings, type StageSettings } from './settings.ts';
import { StageFiles } from './stage-files.ts';
import type { Manifest, StageSpec } from './stage-spec.ts';

export interface PlannedStage extends StageSettings {
  readonly name: string;
  readonly action: 'cached' | 'restore' | 'run' | 'frozen';
  readonly reasons: readonly string[];
}

export interface EnvironmentWish {
  /** Absolute. */
  readonly requirements: string;
  readonly interpreter: string;
  readonly sha256: string;
}

export interface PipelinePlan {
  /** The project's folder, links resolved. */
  readonly folder: string;
  readonly stages: readonly PlannedStage[];
  readonly environment: EnvironmentWish | null;
}

export type Prepared =
  | { readonly action: 'cached' | 'restore' | 'frozen'; readonly reasons: readonly string[] }
  | { readonly action: 'run'; readonly reasons: readonly string[]; readonly spec: StageSpec };

/** Everything that reads or writes a project's files, which may be large. */
export type PipelineTasks = {
  /** What a run of the targets would do, without doing it. */
  readonly 'pipelines.plan': {
    readonly input: {
      readonly folder: string;
      readonly targets: readonly string[];
      readonly isForced: boolean;
      readonly former: Readonly<Record<string, FormerRun>>;
    };
    readonly output: PipelinePlan;
  };
  /** Decides on one stage now that those before it are done; puts cached outputs back. */
  readonly 'pipelines.prepare': {
    readonly input: {
      readonly folder: string;
      readonly stage: string;
      readonly isForced: boolean;
      readonly former: FormerRun | null;
      readonly environment: string | null;
    };
    readonly output: Prepared;
  };
  readonly 'pipelines.clear': {
    readonly input: { readonly folder: string; readonly spec: StageSpec };
    readonly output: null;
  };
  readonly 'pipelines.commit': {
    readonly input: {
      readonly folder: string;
      readonly spec: StageSpec;
      readonly attemptFolder: string;
    };
    readonly output: { readonly manifest: Manifest; readonly lockHash: string };
  };
};

export interface PipelineTaskDeps {
  readonly folder: StateFolder;
  readonly clock: Clock;
  readonly env: Env;
  readonly faults: Faults;
}

interface Opened {
  readonly project: Project;
  readonly cache: ObjectCache;
  readonly files: StageFiles;
  readonly graphs: Graphs;
}

export function pipelineTasks(deps: PipelineTaskDeps): TaskHandlers<PipelineTasks> {
  const { folder: state, clock, env, faults } = deps;
  const hashes = new FileHashes(clock);
  const graphs = new Graphs();

  const open = async (folder: string): Promise<Opened> => {
    const project = await Project.open(folder, { stateFolder: state.root, hashes });
    const { dvcFolder } = project;
    // Where DVC was never initialised its layout is kept in our own folder instead.
    const cacheFolder =
      dvcFolder === null ? path.join(state.root, 'cache') : await dvcCacheFolder(dvcFolder);
    const cache = new ObjectCache(cacheFolder);
    const files = new StageFiles({
      project,
      cache,
      stateFolder: state.root,
      temporaryFolder: state.temporary,
      env,
      faults,
    });
    return { project, cache, files, graphs };
  };

  return {
    'pipelines.plan': async (input, { signal }) => plan(await open(input.folder), input, signal),
    'pipelines.prepare': async (input, { signal }) =>
      prepare(await open(input.folder), input, signal),
    'pipelines.clear': async ({ folder, spec }) => {
      const { files } = await open(folder);
      await files.clear(spec);
      return null;
    },
    'pipelines.commit': async ({ folder, spec, attemptFolder }, { signal }) => {
      const { files } = await open(folder);
      const { manifest, entry } = await files.commit(spec, attemptFolder, signal);
      return { manifest, lockHash: entryHash(entry) };
    },
  };
}

/** What a `dvc.yaml` came to, and every text that went into it. */
interface KnownGraph {
  readonly texts: ReadonlyMap<string, string | null>;
  readonly graph: StageGraph;
}

/** Projects whose stages are remembered: each stage of a run asks for them twice. */
const GRAPHS_MAX = 100;

class Graphs {
  readonly #known = new Map<string, KnownGraph>();

  async read(project: Project): Promise<StageGraph> {
    const known = this.#known.get(project.root);
    if (known !== undefined && (await isSame(project, known))) return known.graph;
    const texts = new Map<string, string | null>();
    const text = await project.readPipeline();
    texts.set('dvc.yaml', text);
    const stages = await resolveStages(text, async (file) => {
      const found = await project.readText(file);
      texts.set(file, found);
      return found;
    });
    const graph = new StageGraph(stages, project.kept);
    if (this.#known.size >= GRAPHS_MAX) this.#known.clear();
    this.#known.set(project.root, { texts, graph });
    return graph;
  }
}

async function isSame(project: Project, { texts }: KnownGraph): Promise<boolean> {
  for (const [file, text] of texts) if ((await project.readText(file)) !== text) return false;
  return true;
}

async function plan(
  { project, cache, graphs }: Opened,
  { targets, isForced, former }: PipelineTasks['pipelines.plan']['input'],
  signal: AbortSignal,
): Promise<PipelinePlan> {
  const graph = await graphs.read(project);
  const settings = await PipelineSettings.read(project, [...graph.stages.keys()]);
  const environment = await environmentWish(project, settings);
  const lock = new LockFile(await project.readText('dvc.lock'));
  const running = new Set<string>();
  const stages: PlannedStage[] = [];
  for (const stage of graph.order(targets)) {
    const inspection = await inspectStage(stage, {
      project,
      cache,
      entry: lock.entry(stage.name),
      former: former[stage.name] ?? null,
      environment: environment?.sha256 ?? null,
      isForced,
      signal,
    });
    const upstream = graph.needs(stage.name).filter((name) => running.has(name));
    // What a stage before it makes is not known yet; it runs unless that turns out the same.
    const { action, reasons } =
      upstream.length > 0 && inspection.action !== 'frozen' && inspection.action !== 'run'
        ? {
            action: 'run' as const,
            reasons: [`after ${upstream.join(', ')}, unless it makes the same`],
          }
        : inspection;
    if (action === 'run') running.add(stage.name);
    stages.push({ name: stage.name, action, reasons, ...settings.of(stage.name) });
  }
  return { folder: project.root, stages, environment };
}

async function environmentWish(
  project: Project,
  settings: PipelineSettings,
): Promise<EnvironmentWish | null> {
  const { requirements, interpreter } = settings;
  if (requirements === null) return null;
  const relative = path.relative(project.root, requirements);
  const text = await project.readText(relative);
  if (text === null) {
    throw new AppError('ENVIRONMENT_FAILED', `The lock ${relative} does not exist.`, {
      hint: `Make it with: uv pip compile --generate-hashes requirements.in -o ${relative}`,
    });
  }
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { requirements, interpreter, sha256 };
}

async function prepare(
  { project, cache, files, graphs }: Opened,
  input: PipelineTasks['pipelines.prepare']['input'],
  signal: AbortSignal,
): Promise<Prepared> {
  const { former, environment, isForced } = input;
  const graph = await graphs.read(project);
  const stage = stageOf(graph, input.stage);
  const lock = new LockFile(await project.readText('dvc.lock'));
  const entry = lock.entry(stage.name);
  const inspection = await inspectStage(stage, {
    project,
    cache,
    entry,
    former,
    environment,
    isForced,
    signal,
  });
  const { action, reasons } = inspection;
  if (action !== 'run') {
    await files.settle(stage, inspection);
    return { action, reasons };
  }
  return {
    action,
    reasons,
    spec: await files.specify(stage, inspection, [...graph.stages.values()]),
  };
}

function stageOf(graph: StageGraph, name: string): Stage {
  const stage = graph.stages.get(name);
  if (stage !== undefined) return stage;
  throw new AppError('STAGE_NOT_FOUND', `dvc.yaml has no stage ${name} any more.`, {
    hint: 'It was changed while the pipeline ran; run again.',
  });
}
