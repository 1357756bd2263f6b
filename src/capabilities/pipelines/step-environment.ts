import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, replaceFile } from '../../platform/exec/durable-file.ts';
import type { Env } from '../../platform/system.ts';
import type { StageSpec } from './stage-spec.ts';
import { commandsOf } from '../../formats/dvc/stage.ts';

/** How a stage's commands call this very program. */
export interface OwnProgram {
  readonly node: string;
  readonly entry: string;
}

export interface StepEnvironmentOptions {
  /** Of the server; a stage inherits it. */
  readonly base: Env;
  readonly url: string;
  /** Lets it call the server, should that ask for a token. */
  readonly pass: string;
  readonly stateFolder: string;
  /** Holds the `millwright` that calls back. */
  readonly shimFolder: string;
  /** Of the environment built from the lock; null runs with what is on the PATH. */
  readonly pythonFolder: string | null;
  readonly environment: string | null;
  readonly folder: string;
  readonly run: string;
  /** Where training sets end; null: as they are declared. */
  readonly trainUntil: string | null;
  readonly attempt: string;
  readonly spec: StageSpec;
}

/** Names of ours that are about this process, not about a stage it starts. */
const NOT_INHERITED = [
  'MILLWRIGHT_FAULT',
  'MILLWRIGHT_CONFIG',
  'MILLWRIGHT_TRAIN_UNTIL',
  // MLflow's client would send them instead of the step's own pass.
  'MLFLOW_TRACKING_USERNAME',
  'MLFLOW_TRACKING_PASSWORD',
  'PYTHONHOME',
  'VIRTUAL_ENV',
];

/** What a stage finds in its environment: where to track, and the tags of its MLflow runs. */
export function stepEnvironment(options: StepEnvironmentOptions): Env {
  const { base, url, pass, stateFolder, shimFolder, pythonFolder, folder, trainUntil, spec } =
    options;
  const inherited = Object.fromEntries(
    Object.entries(base).filter(([name]) => !NOT_INHERITED.includes(name)),
  );
  const pythonBin = pythonFolder === null ? [] : [path.join(pythonFolder, 'bin')];
  return {
    ...inherited,
    PATH: [shimFolder, ...pythonBin, base['PATH'] ?? '/usr/bin:/bin'].join(':'),
    ...(pythonFolder === null ? {} : { VIRTUAL_ENV: pythonFolder }),
    // What a script prints is to be seen when it is printed.
    PYTHONUNBUFFERED: base['PYTHONUNBUFFERED'] ?? '1',
    MILLWRIGHT_URL: url,
    MILLWRIGHT_TOKEN: pass,
    MILLWRIGHT_STATE: stateFolder,
    ...(trainUntil === null ? {} : { MILLWRIGHT_TRAIN_UNTIL: trainUntil }),
    MLFLOW_TRACKING_URI: url,
    MLFLOW_TRACKING_TOKEN: pass,
    MLFLOW_RUN_CONTEXT: JSON.stringify(runTags(options)),
    DVC_ROOT: folder,
    DVC_STAGE: spec.stage.name,
  };
}

/** Tags of every MLflow run that the stage makes: what it was made from. */
function runTags(options: StepEnvironmentOptions): Readonly<Record<string, string>> {
  const { run, attempt, environment, spec } = options;
  const { stage, code, pinned } = spec;
  return {
    'millwright.step': attempt,
    'millwright.pipeline_run': run,
    'millwright.stage': stage.name,
    'millwright.command': commandsOf(stage).join('\n'),
    'millwright.code_tree': code.tree,
    ...(code.commit === null ? {} : { 'millwright.code_commit': code.commit }),
    ...(code.leftOut.length === 0
      ? {}
      : { 'millwright.code_left_out': JSON.stringify(code.leftOut.slice(0, LEFT_OUT_MAX)) }),
    ...(environment === null ? {} : { 'millwright.environment': environment }),
    'millwright.tables': JSON.stringify(pinned.tables),
    ...(pinned.trainingSet === null ? {} : { 'millwright.training_set': pinned.trainingSet }),
    ...(pinned.definition === null ? {} : { 'millwright.definition': pinned.definition }),
  };
}

/** Names in one tag: it says that the tree is not whole, not the whole list. */
const LEFT_OUT_MAX = 50;

const SHIM_MODE = 0o755;

/** Writes the `millwright` of stages into the folder, unless it is there as it should be. */
export async function writeShim(folder: string, { node, entry }: OwnProgram): Promise<void> {
  const file = path.join(folder, 'millwright');
  const text = `#!/bin/sh\nexec ${quoted(node)} ${quoted(entry)} "$@"\n`;
  const mode = (await stat(file).catch(() => null))?.mode ?? 0;
  const isSame = (await readFile(file, 'utf8').catch(() => null)) === text;
  if (isSame && (mode & 0o777) === SHIM_MODE) return;
  await makeFolder(folder);
  await replaceFile(file, text, SHIM_MODE);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
