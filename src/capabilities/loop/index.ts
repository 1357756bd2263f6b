import type { Capability } from '../../platform/capability.ts';
import { loopCommands } from './commands.ts';
import { loopRoutes } from './routes.ts';
import type { LoopService } from './service.ts';

export const loop = {
  name: 'loop',
  routes: loopRoutes,
  commands: loopCommands,
} satisfies Capability<LoopService>;
