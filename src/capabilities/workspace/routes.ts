import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { advanceClock, getHealth, getStatus, listEvents } from './contract.ts';
import type { WorkspaceService } from './service.ts';

export function workspaceRoutes(service: WorkspaceService): readonly MountedRoute[] {
  return [
    mount(getHealth, () => service.health()),
    mount(getStatus, async () => service.status()),
    mount(listEvents, ({ query }) => service.listEvents(query)),
    mount(advanceClock, ({ body }) => service.advance(body.to)),
  ];
}
