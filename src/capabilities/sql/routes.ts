import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { runSql } from './contract.ts';
import type { SqlService } from './service.ts';

export function sqlRoutes(service: SqlService): readonly MountedRoute[] {
  return [mount(runSql, ({ body }, { signal }) => service.run(body, signal))];
}
