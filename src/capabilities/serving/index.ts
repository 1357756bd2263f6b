import type { Capability } from '../../platform/capability.ts';
import { servingCommands } from './commands.ts';
import { servingRoutes } from './routes.ts';
import type { ServingService } from './service.ts';

export const serving = {
  name: 'serving',
  routes: servingRoutes,
  commands: servingCommands,
} satisfies Capability<ServingService>;
