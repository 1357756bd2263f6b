import type { Capability } from '../../platform/capability.ts';
import { registryCommands } from './commands.ts';
import { registryRoutes } from './routes.ts';
import type { RegistryService } from './service.ts';

export const registry = {
  name: 'registry',
  routes: registryRoutes,
  commands: registryCommands,
} satisfies Capability<RegistryService>;
