import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  cancelPipelineRun,
  getPipelineRun,
  getStageLog,
  listPipelineRuns,
  planPipeline,
  startPipeline,
} from './contract.ts';
import type { PipelinesService } from './service.ts';

export function pipelinesRoutes(service: PipelinesService): readonly MountedRoute[] {
  return [
    mount(planPipeline, ({ body }) => service.plan(body)),
    mount(startPipeline, ({ body }, { actor }) => service.start(body, actor)),
    mount(listPipelineRuns, ({ query }) => service.list(query)),
    mount(getPipelineRun, ({ params }) => service.get(params.run)),
    mount(cancelPipelineRun, ({ params }) => service.cancel(params.run)),
    mount(getStageLog, ({ params, query }) => service.log(params.run, params.stage, query)),
  ];
}
