import type { Commands } from './cli/context.ts';
import type { MountedRoute } from './http/mount.ts';
import type { TaskHandlers, TaskMap } from './engine/port.ts';

/**
 * What a capability shows to the composition root. `routes` gets the service that `app` built;
 * `tasks` loads only in the engine process, because it imports the heavy native modules.
 */
export interface Capability<Service = never, TaskDeps = never, Tasks extends TaskMap = TaskMap> {
  readonly name: string;
  readonly routes?: (service: Service) => readonly MountedRoute[];
  readonly commands?: Commands;
  readonly tasks?: () => Promise<(deps: TaskDeps) => TaskHandlers<Tasks>>;
}
