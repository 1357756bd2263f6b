import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  advanceClock,
  applyDeclared,
  getHealth,
  getStatus,
  listEvents,
  planDeclared,
} from './contract.ts';
import type { DeclaredState } from './declared-state.ts';
import type { WorkspaceService } from './service.ts';

export interface WorkspaceServices {
  readonly workspace: WorkspaceService;
  readonly declared: DeclaredState;
}

export function workspaceRoutes({
  workspace: service,
  declared,
}: WorkspaceServices): readonly MountedRoute[] {
  return [
    mount(getHealth, () => service.health()),
    mount(getStatus, async () => service.status()),
    mount(listEvents, ({ query }) => service.listEvents(query)),
    mount(advanceClock, ({ body }) => service.advance(body.to)),
    mount(planDeclared, ({ body }, { actor }) => declared.compare(body.declared, actor)),
    mount(applyDeclared, ({ body }, { actor }) =>
      declared.apply(body.declared, { plan: body.plan, actor }),
    ),
  ];
}
