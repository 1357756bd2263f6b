import type { Capability } from '../../platform/capability.ts';
import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { predictionsCommands } from './commands.ts';
import { labelCommands } from './label-commands.ts';
import { predictionsRoutes } from './routes.ts';
import type { PredictionsService } from './service.ts';

export const predictions = {
  name: 'predictions',
  routes: predictionsRoutes,
  commands: (program: Command, cli: CliContext): void => {
    predictionsCommands(program, cli);
    labelCommands(program, cli);
  },
} satisfies Capability<PredictionsService>;
