import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import * as contract from './contract.ts';
import type { ServingService } from './service.ts';

export function servingRoutes(service: ServingService): readonly MountedRoute[] {
  return [
    mount(contract.listEndpoints, ({ query }) => service.list(query)),
    mount(contract.putEndpoint, ({ params, body }, { actor }) =>
      service.put(params.endpoint, body, actor),
    ),
    mount(contract.getEndpoint, ({ params }) => service.get(params.endpoint)),
    mount(contract.deploy, ({ params, body }, { actor }) =>
      service.deploy({
        ...params,
        ...body,
        model: body.model,
        ifRevision: body.ifRevision,
        actor,
      }),
    ),
    mount(contract.split, ({ params, body }, { actor }) =>
      service.split({ ...params, ...body, ifRevision: body.ifRevision, actor }),
    ),
    mount(contract.rollback, ({ params, body }, { actor }) =>
      service.rollback({ ...params, ...body, to: body.to, ifRevision: body.ifRevision, actor }),
    ),
    mount(contract.drillRollback, ({ params, body }, { actor }) =>
      service.drill({ ...params, ...body, ifRevision: body.ifRevision, actor }),
    ),
    mount(contract.listRevisions, ({ params, query }) =>
      service.listRevisions(params.endpoint, query),
    ),
    mount(contract.whoServed, ({ params, query }) => service.whoServed(params.endpoint, query)),
    mount(contract.traceRequest, ({ params }) => service.trace(params.requestId)),
  ];
}
