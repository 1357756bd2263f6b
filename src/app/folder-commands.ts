import { Argument, type Command } from 'commander';
import type { AppError } from '../base/errors.ts';
import type { Api, CliContext } from '../platform/cli/context.ts';
import type { Config } from '../platform/config/config.ts';
import type { Status } from '../capabilities/workspace/contract.ts';
import { addBackup } from './backup/backup-command.ts';
import { commandNodes } from './completion/command-tree.ts';
import { completionScript, SHELLS, type Shell } from './completion/completion-script.ts';
import { configSchema } from './config-schema.ts';
import { addDoctor } from './doctor/doctor-command.ts';
import { addInit } from './init/init-command.ts';

export interface FolderCommandsOn {
  readonly cli: CliContext;
  readonly config: (flags: { readonly clock?: 'live' | 'replay' }) => Config;
  /** The server of the folder; the error when it lets nobody in; null when none runs. */
  readonly findRunning: () => Promise<Api | AppError | null>;
  /** Makes the workspace of the folder with this clock, or finds the one that is there. */
  readonly makeWorkspace: (clock: 'live' | 'replay' | undefined) => Promise<Status>;
}

/** Commands about this folder and this machine, which need no workspace. */
export function addFolderCommands(program: Command, on: FolderCommandsOn): void {
  addInit(program, on);
  addDoctor(program, on);
  addBackup(program, on);
  program
    .command('schema')
    .description('the JSON Schema of millwright.yaml, by which editors complete and check it')
    .action(() => {
      on.cli.out.json(configSchema());
    });
  program
    .command('completion')
    .description('a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .action((shell: Shell) => {
      const script = completionScript(shell, commandNodes(program));
      on.cli.out.result({ shell, script }, () => {
        on.cli.out.line(script.trimEnd());
      });
    });
}
