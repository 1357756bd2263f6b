import { CatalogStore } from '../capabilities/registry/catalog-store.ts';
import { ModelCatalog } from '../capabilities/registry/catalog.ts';
import { RegistryService } from '../capabilities/registry/service.ts';
import { RegistryStore } from '../capabilities/registry/store.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';
import { TrackingService } from '../capabilities/tracking/service.ts';
import type { Platform } from './open-platform.ts';
import { RunOrigins } from './run-origins.ts';

/** Runs and registered models: a run names its versions, and a version its run. */
export function openTracking(platform: Platform): {
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly catalog: ModelCatalog;
  readonly origins: VersionOrigins;
} {
  const { db, blobs, inference, events, clock, ids, faults } = platform;
  const store = new RegistryStore(db);
  const versionsOf = (runId: string) => store.versionsOfRun(runId);
  const tracking = new TrackingService({ db, blobs, events, clock, ids, versionsOf });
  const deps = { store, tracking, blobs, inference, events, clock, ids, faults };
  const origins = new RunOrigins({ versions: store, tracking });
  const registry = new RegistryService(deps);
  const catalog = new ModelCatalog({
    registry,
    versions: store,
    store: new CatalogStore(db, store),
    tracking,
    blobs,
    clock,
  });
  return { tracking, registry, catalog, origins };
}
