import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  approveLoop,
  challengeLoop,
  getDecision,
  getGuard,
  getLoop,
  listDecisions,
  listInstances,
  listLoops,
  resumeLoop,
  stopLoop,
  triggerLoop,
  whyLoop,
} from './contract.ts';
import type { LoopService } from './service.ts';

export function loopRoutes(service: LoopService): readonly MountedRoute[] {
  return [
    mount(listLoops, ({ query }) => service.list(query)),
    mount(getLoop, ({ params }) => service.get(params.loop)),
    mount(listDecisions, ({ params, query }) => service.decisions(params.loop, query)),
    mount(getDecision, ({ params }) => service.decision(params.loop, params.decision)),
    mount(listInstances, ({ params, query }) => service.instances(params.loop, query)),
    mount(whyLoop, ({ params }) => service.why(params.loop)),
    mount(getGuard, async ({ params }) => ({ guard: await service.guard(params.loop) })),
    mount(triggerLoop, ({ params, body }, { actor }) => {
      const { reason, pipeline = null } = body;
      return service.trigger(params.loop, { reason, stage: pipeline, actor });
    }),
    mount(challengeLoop, ({ params, body }, { actor }) => {
      const { override = null, ...rest } = body;
      return service.challenge(params.loop, { ...rest, override, actor });
    }),
    mount(stopLoop, ({ params, body }, { actor }) => {
      const { reason, until = null } = body;
      return service.stop(params.loop, { reason, until, actor });
    }),
    mount(resumeLoop, ({ params, body }, { actor }) =>
      service.resume(params.loop, { ...body, actor }),
    ),
    mount(approveLoop, ({ params, body }, { actor }) => {
      const { reason, deny } = body;
      return service.approve(params.loop, { reason, isDenied: deny, actor });
    }),
  ];
}
