import type { Capability } from '../../platform/capability.ts';
import { maturityCommands } from './commands.ts';
import { maturityRoutes } from './routes.ts';
import type { MaturityService } from './service.ts';

export const maturity = {
  name: 'maturity',
  routes: maturityRoutes,
  commands: maturityCommands,
} satisfies Capability<MaturityService>;
