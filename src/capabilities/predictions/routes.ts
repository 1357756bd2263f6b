import { formatInstant } from '../../base/time.ts';
import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import {
  getLogStatus,
  getTraffic,
  getTrafficHistory,
  listPredictions,
  postLabels,
} from './contract.ts';
import type { PredictionsService } from './service.ts';

export function predictionsRoutes(service: PredictionsService): readonly MountedRoute[] {
  return [
    mount(postLabels, async ({ body }, { actor }) => ({
      accepted: await service.label(body.labels, actor),
    })),
    mount(listPredictions, ({ params, query }) => service.list(params.endpoint, query)),
    mount(getTraffic, async ({ query }) => ({
      points: [...service.traffic(query.endpoint ?? null)],
    })),
    mount(getTrafficHistory, ({ params, query }) => service.trafficHistory(params.endpoint, query)),
    mount(getLogStatus, async () => {
      const { lastFlushAt, ...status } = service.logStatus();
      return { ...status, lastFlushAt: lastFlushAt === null ? null : formatInstant(lastFlushAt) };
    }),
  ];
}
