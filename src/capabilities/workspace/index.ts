import type { Capability } from '../../platform/capability.ts';
import { workspaceCommands } from './commands.ts';
import { workspaceRoutes } from './routes.ts';
import type { WorkspaceService } from './service.ts';

export const workspace = {
  name: 'workspace',
  routes: workspaceRoutes,
  commands: workspaceCommands,
} satisfies Capability<WorkspaceService>;
