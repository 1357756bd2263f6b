import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { catchUpLabels, getLabelStates } from './label-contract.ts';
import type { LabelService } from './label-service.ts';

export function labelRoutes(service: LabelService): readonly MountedRoute[] {
  return [
    mount(getLabelStates, ({ params, query }) => service.states(params.endpoint, query)),
    mount(catchUpLabels, async () => ({ sources: [...(await service.catchUp())] })),
  ];
}
