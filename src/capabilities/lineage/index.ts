import type { Capability } from '../../platform/capability.ts';
import { lineageCommands } from './commands.ts';
import { lineageRoutes } from './routes.ts';
import type { LineageService } from './service.ts';

export const lineage = {
  name: 'lineage',
  routes: lineageRoutes,
  commands: lineageCommands,
} satisfies Capability<LineageService>;
