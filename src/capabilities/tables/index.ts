import type { Capability } from '../../platform/capability.ts';
import { tablesCommands } from './commands.ts';
import { tablesRoutes } from './routes.ts';
import type { TablesService } from './service.ts';

export const tables = {
  name: 'tables',
  routes: tablesRoutes,
  commands: tablesCommands,
} satisfies Capability<TablesService>;
