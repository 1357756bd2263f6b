import type { Capability } from '../../platform/capability.ts';
import { predictionsCommands } from './commands.ts';
import { predictionsRoutes } from './routes.ts';
import type { PredictionsService } from './service.ts';

export const predictions = {
  name: 'predictions',
  routes: predictionsRoutes,
  commands: predictionsCommands,
} satisfies Capability<PredictionsService>;
