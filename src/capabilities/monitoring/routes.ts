import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  columnHistory,
  getEvaluation,
  getMonitor,
  listEvaluations,
  listMonitors,
  qualityHistory,
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
    mount(qualityHistory, ({ params, query }) => service.history.quality(params.monitor, query)),
    mount(columnHistory, ({ params, query }) => service.history.column(params.monitor, query)),
  ];
}
