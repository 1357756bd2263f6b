import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  advanceClock,
  applyDeclared,
  getHealth,
  getStatus,
  listEvents,
  planDeclared,
} from './contract.ts';
import { dropCut, takeCut, type StateCut } from './backup-contract.ts';
import type { DeclaredState } from './declared-state.ts';
import type { WorkspaceService } from './service.ts';

export interface WorkspaceServices {
  readonly workspace: WorkspaceService;
  readonly declared: DeclaredState;
  readonly cuts: Cuts;
}

/** Moments of the state that are set aside to be copied. */
interface Cuts {
  take(): Promise<StateCut>;
  drop(id: string): Promise<void>;
}

export function workspaceRoutes({
  workspace: service,
  declared,
  cuts,
}: WorkspaceServices): readonly MountedRoute[] {
  return [
    mount(getHealth, () => service.health()),
    mount(getStatus, async () => service.status()),
    mount(listEvents, ({ query }) => service.listEvents(query)),
    mount(advanceClock, ({ body }) => service.advance(body.to)),
    mount(takeCut, () => cuts.take()),
    mount(dropCut, async ({ params }) => {
      await cuts.drop(params.cut);
      return {};
    }),
    mount(planDeclared, ({ body }, { actor }) => declared.compare(body.declared, actor)),
    mount(applyDeclared, ({ body }, { actor }) =>
      declared.apply(body.declared, { plan: body.plan, actor }),
    ),
  ];
}
