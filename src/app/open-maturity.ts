import { FeaturesFacts } from '../capabilities/features/features-facts.ts';
import { FeaturesStore } from '../capabilities/features/store.ts';
import { LoopFacts } from '../capabilities/loop/loop-facts.ts';
import { LoopStore } from '../capabilities/loop/store.ts';
import { MaturityService } from '../capabilities/maturity/service.ts';
import { MaturityStore } from '../capabilities/maturity/store.ts';
import { MonitoringFacts } from '../capabilities/monitoring/monitoring-facts.ts';
import { MonitoringStore } from '../capabilities/monitoring/store.ts';
import { PipelinesFacts } from '../capabilities/pipelines/pipelines-facts.ts';
import { PipelinesStore } from '../capabilities/pipelines/store.ts';
import type { LabelService } from '../capabilities/predictions/label-service.ts';
import { PredictionsFacts } from '../capabilities/predictions/predictions-facts.ts';
import { RegistryFacts } from '../capabilities/registry/registry-facts.ts';
import { RegistryStore } from '../capabilities/registry/store.ts';
import { ServingFacts } from '../capabilities/serving/serving-facts.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';
import type { TrackingService } from '../capabilities/tracking/service.ts';
import { TrackingFacts } from '../capabilities/tracking/tracking-facts.ts';
import { WorkspaceFacts } from '../capabilities/workspace/workspace-facts.ts';
import type { Facts } from '../platform/capability.ts';
import { processEnv } from '../platform/system.ts';
import type { Platform } from './open-platform.ts';

interface On {
  readonly tracking: TrackingService;
  readonly endpoints: ServingStore;
  readonly labels: LabelService;
}

/** Levels of models in production use, from what every capability has recorded. */
export function openMaturity(platform: Platform, on: On): MaturityService {
  const { db, events, timers, clock, log } = platform;
  const { endpoints } = on;
  const store = new MaturityStore(db);
  return new MaturityService({
    store,
    facts: allFacts(platform, on),
    endpoints: {
      find: async (name) => {
        const found = await endpoints.findEndpoint(name);
        return found === null ? null : { endpoint: found.name, model: found.model };
      },
      list: async (page) => {
        const found = await endpoints.listEndpoints(page);
        return found.map(({ name, model }) => ({ endpoint: name, model }));
      },
    },
    clock,
    timers,
    events,
    log,
  });
}

function allFacts(
  { db, events, clock }: Platform,
  { tracking, endpoints, labels }: On,
): readonly Facts[] {
  const registry = new RegistryStore(db);
  const makersOf = async (model: string, limit: number): Promise<readonly string[]> => {
    const versions = await registry.listVersions(model, { before: null, limit });
    return versions.flatMap(({ run_id: run }) => (run === null ? [] : [run]));
  };
  return [
    new TrackingFacts({ tracking, events, makersOf }),
    new RegistryFacts({ store: registry, artifacts: tracking.artifacts, events }),
    new PipelinesFacts({ store: new PipelinesStore(db), events, env: processEnv }),
    new FeaturesFacts(new FeaturesStore(db)),
    new PredictionsFacts({ labels, clock }),
    new ServingFacts({ store: endpoints, events }),
    new MonitoringFacts({ db, store: new MonitoringStore(db) }),
    new LoopFacts(new LoopStore(db)),
    new WorkspaceFacts(events),
  ];
}
