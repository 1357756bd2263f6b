import type { Capability } from '../../platform/capability.ts';
import { workspaceCommands } from './commands.ts';
import { workspaceRoutes, type WorkspaceServices } from './routes.ts';

export const workspace = {
  name: 'workspace',
  routes: workspaceRoutes,
  commands: workspaceCommands,
} satisfies Capability<WorkspaceServices>;
