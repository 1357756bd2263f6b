import type { Capability } from '../../platform/capability.ts';
import { pipelinesCommands } from './commands.ts';
import { pipelinesRoutes } from './routes.ts';
import type { PipelinesService } from './service.ts';

export const pipelines = {
  name: 'pipelines',
  routes: pipelinesRoutes,
  commands: pipelinesCommands,
} satisfies Capability<PipelinesService>;
