import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { Status } from '../../capabilities/workspace/contract.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Config } from '../../platform/config/config.ts';
import { parseConfigFile } from '../../platform/config/load-config.ts';
import { writeSchema } from '../config-schema.ts';
import type { FolderCommandsOn } from '../folder-commands.ts';
import { findProject, type FoundProject } from './find-project.ts';
import { firstDeclaration } from './first-declaration.ts';

const DECLARATION = 'millwright.yaml';

interface InitOptions {
  readonly clock?: 'live' | 'replay';
}

interface Initialised {
  readonly workspace: Pick<Status, 'name' | 'clock' | 'stateFolder'>;
  readonly found: FoundProject;
  /** Files that were written or added to; what was there stays. */
  readonly wrote: readonly string[];
}

export function addInit(program: Command, { config, cli, makeWorkspace }: FolderCommandsOn): void {
  program
    .command('init')
    .description('make a workspace of this folder, with what is found in it')
    .addOption(
      new Option(
        '--clock <kind>',
        'live, or replay for playing the past; irreversible (default: live)',
      ).choices(['live', 'replay'] as const),
    )
    .action(async ({ clock }: InitOptions) => {
      const folder = process.cwd();
      const found = await findProject(folder);
      const status = await makeWorkspace(clock);
      if (clock !== undefined && status.clock !== clock) throw otherClock(status);
      const done = await initialise(folder, { found, status, config: config({}) });
      cli.out.result(done, () => {
        print(done, cli);
      });
    });
}

function otherClock({ clock, stateFolder }: Status): AppError {
  return new AppError(
    'INVALID_CONFIG',
    `The clock of the workspace in ${stateFolder} is ${clock}.`,
    {
      hint: 'It was chosen when the workspace was made; for another one use another --state.',
    },
  );
}

async function initialise(
  folder: string,
  on: { readonly found: FoundProject; readonly status: Status; readonly config: Config },
): Promise<Initialised> {
  const { found, status, config } = on;
  const { name, clock, stateFolder } = status;
  const schema = await writeSchema(stateFolder);
  const wrote: string[] = [];
  if (!existsSync(path.join(folder, DECLARATION))) {
    const relative = path.relative(folder, schema).replaceAll(path.sep, '/');
    const text = firstDeclaration(config.name, found, { schema: relative });
    parseConfigFile(text, DECLARATION);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, DECLARATION), text, { flag: 'wx' });
    wrote.push(DECLARATION);
  }
  if (found.hasGit && ignoreState(folder, stateFolder)) wrote.push('.gitignore');
  return { workspace: { name, clock, stateFolder }, found, wrote };
}

/** Keeps the state folder out of git; false when it is kept out already, or lies elsewhere. */
function ignoreState(folder: string, stateFolder: string): boolean {
  const relative = path.relative(folder, stateFolder).replaceAll(path.sep, '/');
  if (relative.startsWith('..') || relative === '') return false;
  const file = path.join(folder, '.gitignore');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const isThere = text.split(/\r?\n/).some((line) => line.replaceAll(/^\/|\/$/g, '') === relative);
  if (isThere) return false;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  writeFileSync(file, `${text}${gap}${relative}/\n`);
  return true;
}

function print({ workspace, found, wrote }: Initialised, cli: CliContext): void {
  const { out } = cli;
  out.line(`workspace ${workspace.name}, ${workspace.clock} clock   ${workspace.stateFolder}`);
  for (const [what, text] of findings(found)) out.line(`  ${what.padEnd(10)} ${text}`);
  const kept = wrote.includes(DECLARATION) ? '' : `; ${DECLARATION} was there and is as it was`;
  out.line(`wrote ${wrote.length === 0 ? 'nothing' : wrote.join(', ')}${kept}`);
  out.line('next');
  for (const step of nextSteps(found)) out.line(`  ${step}`);
}

function findings(found: FoundProject): readonly (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [
    ['git', found.hasGit ? 'yes' : 'no: runs cannot be pinned to a commit (git init)'],
  ];
  const { mlflowRuns, mlflowDatabases, stages, stagesError } = found;
  // With a database MLflow keeps only files in the folder.
  if (mlflowRuns !== null && mlflowRuns > 0) {
    const runs = mlflowRuns === 1 ? '1 run' : `${mlflowRuns} runs`;
    lines.push([
      'MLflow',
      `${runs} in mlruns/, left as ${mlflowRuns === 1 ? 'it is' : 'they are'}`,
    ]);
  }
  if (mlflowDatabases.length > 0)
    lines.push(['MLflow', `${mlflowDatabases.join(', ')}, left as is`]);
  if (found.trackedScripts.length > 0)
    lines.push(['MLflow', `used by ${some(found.trackedScripts)}`]);
  if (stages !== null) lines.push(['DVC', stagesError ?? `dvc.yaml: ${some(stages)}`]);
  else if (found.hasDvc) lines.push(['DVC', 'yes, without a dvc.yaml here']);
  if (found.lock !== null) lines.push(['Python', `${found.lock}, locked with hashes`]);
  if (found.requirements.length > 0) lines.push(['Python', some(found.requirements)]);
  if (found.notebooks.length > 0) lines.push(['notebooks', some(found.notebooks)]);
  if (found.isCut) lines.push(['', 'there are more files than were looked at']);
  return lines;
}

const SHOWN = 4;

function some(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function nextSteps({ stages, stagesError }: FoundProject): readonly string[] {
  const steps = [
    'millwright up                                        # the server and its pages',
    'export MLFLOW_TRACKING_URI=http://127.0.0.1:7070     # then scripts that use MLflow are tracked',
  ];
  if (stages !== null && stagesError === null && stages.length > 0) {
    steps.push('millwright run                                       # the stages of dvc.yaml');
  }
  return steps;
}
