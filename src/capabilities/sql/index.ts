import type { Capability } from '../../platform/capability.ts';
import { sqlCommands } from './commands.ts';
import { sqlRoutes } from './routes.ts';
import type { SqlService } from './service.ts';

export const sql = {
  name: 'sql',
  routes: sqlRoutes,
  commands: sqlCommands,
} satisfies Capability<SqlService>;
