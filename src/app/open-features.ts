import { ExclusionsStore } from '../capabilities/features/exclusions-store.ts';
import { Exclusions } from '../capabilities/features/exclusions.ts';
import { OnlineFeatures } from '../capabilities/features/online-features.ts';
import { OnlineIngest } from '../capabilities/features/online-ingest.ts';
import { OnlineFeaturesService } from '../capabilities/features/online-service.ts';
import { OnlineSource } from '../capabilities/features/online-source.ts';
import { featuresPlan } from '../capabilities/features/plan.ts';
import { FeaturesService } from '../capabilities/features/service.ts';
import { FeaturesStore } from '../capabilities/features/store.ts';
import type { FeatureSource } from '../capabilities/serving/served-features.ts';
import type { TablesService } from '../capabilities/tables/service.ts';
import type { PlanPart } from '../platform/capability.ts';
import type { Engine } from '../platform/engine/port.ts';
import type { Platform } from './open-platform.ts';

export interface FeatureParts {
  readonly service: FeaturesService;
  readonly exclusions: Exclusions;
  readonly online: OnlineFeaturesService;
  readonly source: FeatureSource;
  readonly plan: PlanPart;
  /** Begins to follow the tables: once everything that answers has said what it answers with. */
  readonly start: () => Promise<void>;
}

/** Feature definitions, training sets, and what is read online. */
export function openFeatures(
  platform: Platform,
  on: { readonly engine: Engine<never>; readonly tables: TablesService },
  closing: AsyncDisposableStack,
): FeatureParts {
  const { db, events, clock, ids, log, index: kv } = platform;
  const { engine } = on;
  const exclusions = new Exclusions({ store: new ExclusionsStore(db), events, clock, ids });
  const deps = { store: new FeaturesStore(db), events, clock, exclusions, ...on };
  const service = new FeaturesService(deps);
  const features = new OnlineFeatures({ kv });
  const source = new OnlineSource({
    definitions: service,
    online: features,
    engine,
    onWanted: () => {
      ingest.request();
    },
  });
  const views = () => source.views();
  const ingest = new OnlineIngest({ engine, kv, events, clock, log, views });
  closing.defer(() => ingest.close());
  on.tables.onAppended((table, version) => {
    ingest.appended(table, version);
  });
  return {
    service,
    exclusions,
    online: new OnlineFeaturesService({ engine, features, ingest, definitions: source, clock }),
    source,
    plan: featuresPlan(deps),
    start: () => ingest.start(),
  };
}
