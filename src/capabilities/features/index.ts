import type { Capability } from '../../platform/capability.ts';
import { featuresCommands } from './commands.ts';
import { featuresRoutes } from './routes.ts';
import type { FeaturesService } from './service.ts';

export const features = {
  name: 'features',
  routes: featuresRoutes,
  commands: featuresCommands,
} satisfies Capability<FeaturesService>;
