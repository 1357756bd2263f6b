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
  readonly origins: VersionOrigins;
} {
  const { db, blobs, inference, events, clock, ids, faults } = platform;
  const store = new RegistryStore(db);
  const versionsOf = (runId: string) => store.versionsOfRun(runId);
  const tracking = new TrackingService({ db, blobs, events, clock, ids, versionsOf });
  const registry = new RegistryService({ store, blobs, inference, events, clock, ids, faults });
  const origins = new RunOrigins({ versions: store, tracking });
  return { tracking, registry, origins };
}
