import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { getMaturity, listMaturity, listMaturityChanges } from './contract.ts';
import type { MaturityService } from './service.ts';

export function maturityRoutes(service: MaturityService): readonly MountedRoute[] {
  return [
    mount(listMaturity, ({ query }) => service.list(query)),
    mount(getMaturity, ({ params }) => service.get(params.endpoint)),
    mount(listMaturityChanges, ({ params, query }) => service.history(params.endpoint, query)),
  ];
}
