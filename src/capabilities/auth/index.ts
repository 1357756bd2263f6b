import type { Capability } from '../../platform/capability.ts';
import { authCommands } from './commands.ts';
import { authRoutes } from './routes.ts';
import type { AuthService } from './service.ts';

export const auth = {
  name: 'auth',
  routes: authRoutes,
  commands: authCommands,
} satisfies Capability<AuthService>;
