import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import type { Exclusions } from './exclusions.ts';
import {
  endExclusion,
  listExclusions,
  recordExclusion,
  withdrawExclusion,
} from './exclusions-contract.ts';

export function exclusionsRoutes(exclusions: Exclusions): readonly MountedRoute[] {
  return [
    mount(listExclusions, ({ query }) => exclusions.list(query)),
    mount(recordExclusion, ({ body }, { actor }) => exclusions.record(body, actor)),
    mount(endExclusion, ({ params, body }, { actor }) =>
      exclusions.end(params.exclusion, body.until, actor),
    ),
    mount(withdrawExclusion, ({ params, body }, { actor }) =>
      exclusions.withdraw(params.exclusion, body.reason, actor),
    ),
  ];
}
