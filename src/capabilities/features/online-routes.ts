import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { getFeatures, getWatermarks, rebuildFeatures, verifyService } from './online-contract.ts';
import type { OnlineFeaturesService } from './online-service.ts';

export function onlineFeaturesRoutes(service: OnlineFeaturesService): readonly MountedRoute[] {
  return [
    mount(getFeatures, ({ body }) => service.get(body)),
    mount(getWatermarks, ({ query }, { signal }) => service.watermarks(query, signal)),
    mount(rebuildFeatures, () => service.rebuild()),
    mount(verifyService, ({ body }, { signal }) => service.verify(body, signal)),
  ];
}
