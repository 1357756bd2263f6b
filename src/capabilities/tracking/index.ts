import type { Capability } from '../../platform/capability.ts';
import { trackingCommands } from './commands.ts';
import { trackingRoutes } from './routes.ts';
import type { TrackingService } from './service.ts';

export const tracking = {
  name: 'tracking',
  routes: trackingRoutes,
  commands: trackingCommands,
} satisfies Capability<TrackingService>;
