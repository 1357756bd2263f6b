import type { Capability } from '../../platform/capability.ts';
import { monitoringCommands } from './commands.ts';
import { monitoringRoutes } from './routes.ts';
import type { MonitoringService } from './service.ts';

export const monitoring = {
  name: 'monitoring',
  routes: monitoringRoutes,
  commands: monitoringCommands,
} satisfies Capability<MonitoringService>;
