import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { getVersion, listModels, listVersions, registerModel } from './contract.ts';
import type { RegistryService } from './service.ts';

export function registryRoutes(service: RegistryService): readonly MountedRoute[] {
  return [
    mount(listModels, ({ query }) => service.listModels(query)),
    mount(registerModel, ({ params, query }, { bytes, actor }) =>
      service.register({
        model: params.model,
        description: query.description,
        runId: query.run ?? null,
        bytes,
        actor,
      }),
    ),
    mount(listVersions, ({ params, query }) => service.listVersions(params.model, query)),
    mount(getVersion, ({ params }) => service.getVersion(params.model, params.version)),
  ];
}
