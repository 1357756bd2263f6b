import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  getEvaluation,
  getMonitor,
  listEvaluations,
  listMonitors,
  runMonitor,
} from './contract.ts';
import type { MonitoringService } from './service.ts';

export function monitoringRoutes(service: MonitoringService): readonly MountedRoute[] {
  return [
    mount(listMonitors, ({ query }) => service.list(query)),
    mount(getMonitor, ({ params }) => service.get(params.monitor)),
    mount(listEvaluations, ({ params, query }) => service.evaluations(params.monitor, query)),
    mount(getEvaluation, ({ params }) => service.evaluation(params.monitor, params.evaluation)),
    mount(runMonitor, ({ params, body }) => service.run(params.monitor, body.at)),
  ];
}
