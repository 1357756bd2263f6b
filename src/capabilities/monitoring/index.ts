import type { Capability } from '../../platform/capability.ts';
import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { monitoringCommands } from './commands.ts';
import { compareCommands } from './compare-commands.ts';
import { monitoringRoutes } from './routes.ts';
import type { MonitoringService } from './service.ts';

export const monitoring = {
  name: 'monitoring',
  routes: monitoringRoutes,
  commands: (program: Command, cli: CliContext): void => {
    monitoringCommands(program, cli);
    compareCommands(program, cli);
  },
} satisfies Capability<MonitoringService>;
