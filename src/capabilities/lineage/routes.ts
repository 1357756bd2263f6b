import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { getLineage } from './contract.ts';
import type { LineageService } from './service.ts';

export function lineageRoutes(service: LineageService): readonly MountedRoute[] {
  return [
    mount(getLineage, ({ query }) => {
      const slash = query.of.indexOf('/');
      const thing = { kind: query.of.slice(0, slash), id: query.of.slice(slash + 1) };
      return service.of(thing, query.depth);
    }),
  ];
}
