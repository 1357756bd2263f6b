import path from 'node:path';
import type { AuthService } from '../capabilities/auth/service.ts';
import { LineageService } from '../capabilities/lineage/service.ts';
import type { MaturityService } from '../capabilities/maturity/service.ts';
import type { PipelinesService } from '../capabilities/pipelines/service.ts';
import type { OnlineFeaturesService } from '../capabilities/features/online-service.ts';
import { FeaturesLinks } from '../capabilities/features/features-links.ts';
import type { Exclusions } from '../capabilities/features/exclusions.ts';
import type { FeaturesService } from '../capabilities/features/service.ts';
import { CompareService } from '../capabilities/monitoring/compare-service.ts';
import type { LoopService } from '../capabilities/loop/service.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { LabelService } from '../capabilities/predictions/label-service.ts';
import type { LabelSources } from '../capabilities/predictions/label-sources.ts';
import { labelsPlan } from '../capabilities/predictions/labels-plan.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import type { PredictionsService } from '../capabilities/predictions/service.ts';
import type { ModelCatalog } from '../capabilities/registry/catalog.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { Gateway } from '../capabilities/serving/gateway.ts';
import type { LiveRoutes } from '../capabilities/serving/live-routes.ts';
import { endpointsPlan } from '../capabilities/serving/plan.ts';
import type { ServingService } from '../capabilities/serving/service.ts';
import { ServingLinks } from '../capabilities/serving/serving-links.ts';
import { ServingStore } from '../capabilities/serving/store.ts';
import { SqlService } from '../capabilities/sql/service.ts';
import { TablesService } from '../capabilities/tables/service.ts';
import { TablesStore } from '../capabilities/tables/store.ts';
import { DeclaredState } from '../capabilities/workspace/declared-state.ts';
import { TrackingLinks } from '../capabilities/tracking/tracking-links.ts';
import type { TrackingService } from '../capabilities/tracking/service.ts';
import { WorkspaceService } from '../capabilities/workspace/service.ts';
import type { Engine } from '../platform/engine/port.ts';
import type { Platform } from './open-platform.ts';
import { compareParts } from './compare-parts.ts';
import { EndpointLabels } from './declared-labels.ts';
import { openAuth } from './open-auth.ts';
import { openFeatures } from './open-features.ts';
import { openLoop } from './open-loop.ts';
import { openMaturity } from './open-maturity.ts';
import { openMonitoring } from './open-monitoring.ts';
import { openPipelines } from './open-pipelines.ts';
import { openPredictions } from './open-predictions.ts';
import { openServing } from './open-serving.ts';
import { openTracking } from './open-tracking.ts';
import { processFacts } from './process-facts.ts';

export interface Services {
  readonly workspace: WorkspaceService;
  readonly declared: DeclaredState;
  readonly tables: TablesService;
  readonly sql: SqlService;
  readonly features: FeaturesService;
  readonly exclusions: Exclusions;
  readonly onlineFeatures: OnlineFeaturesService;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly catalog: ModelCatalog;
  readonly predictions: PredictionsService;
  readonly labels: LabelService;
  readonly monitoring: MonitoringService;
  readonly compare: CompareService;
  readonly loops: LoopService;
  readonly serving: ServingService;
  readonly gateway: Gateway;
  readonly routes: LiveRoutes;
  readonly pipelines: PipelinesService;
  readonly lineage: LineageService;
  readonly maturity: MaturityService;
  readonly log: PredictionLog;
  readonly auth: AuthService;
}

/** Builds every capability's service on the platform and starts what runs by itself. */
export async function startServices(
  platform: Platform,
  closing: AsyncDisposableStack,
): Promise<Services> {
  const { db, events } = platform;
  // Each capability sees its own tasks of the one engine.
  const engine = platform.engine as unknown as Engine<never>;

  const { auth, stepPass } = await openAuth(platform, closing);
  const lake = openTables(platform, engine);
  const features = openFeatures(platform, { engine, tables: lake.tables }, closing);
  const { tracking, registry, catalog, origins } = openTracking(platform);
  const servingStore = new ServingStore(db);
  const isEndpoint = async (name: string): Promise<boolean> =>
    (await servingStore.findEndpoint(name)) !== null;
  const labelled = new EndpointLabels({ features: features.service, endpoints: servingStore });
  const log = { engine, isEndpoint, declared: labelled };
  const { predictionLog, predictions, labelSources, labels } = openPredictions(platform, log);
  const answers = { registry, predictions, predictionLog, features: features.source, origins };
  const from = { store: servingStore, ...answers };
  const { serving, gateway, routes } = await openServing(platform, from, closing);
  const endpoints = endpointsPlan({ serving, features: features.source });
  const versions = { registry, origins, features: features.service };
  const logged = { predictionLog, labelSources, labels: labelled, isEndpoint };
  const { service: monitors, plan } = openMonitoring(platform, { engine, ...versions, ...logged });
  const compared = compareParts({ ...versions, ...logged, endpoints: servingStore, monitors });
  const compare = new CompareService({ parts: compared, engine, clock: platform.clock });
  const pipelines = openPipelines(platform, stepPass, closing);
  const routed = { serving, endpoints: servingStore, catalog };
  const judged = { monitoring: monitors, compare, exclusions: features.exclusions };
  const told = { labels, declared: labelled, labelSources };
  const acts = { ...versions, ...routed, ...judged, ...told, pipelines };
  const loop = openLoop(platform, acts, closing);
  const parts = [features.plan, endpoints, labelsPlan(), plan, loop.plan];
  const links = [
    new ServingLinks({ store: servingStore, predictions, origins }),
    new TrackingLinks(tracking),
    new FeaturesLinks(features.service),
  ];
  await features.start();
  await startLog(predictionLog, labelSources, closing);
  await monitors.start();
  await loop.start();
  const maturity = openMaturity(platform, { tracking, endpoints: servingStore, labels });
  await maturity.start();
  return {
    workspace: openWorkspaceFacts(platform, predictionLog),
    declared: new DeclaredState({ parts, db, events }),
    ...lake,
    features: features.service,
    exclusions: features.exclusions,
    onlineFeatures: features.online,
    tracking,
    registry,
    catalog,
    predictions,
    labels,
    monitoring: monitors,
    compare,
    loops: loop.service,
    serving,
    gateway,
    routes,
    pipelines,
    lineage: new LineageService({ links }),
    maturity,
    log: predictionLog,
    auth,
  };
}

async function startLog(
  log: PredictionLog,
  sources: LabelSources,
  closing: AsyncDisposableStack,
): Promise<void> {
  log.start();
  closing.defer(() => log.close());
  await sources.start();
  closing.defer(() => sources.close());
}

function openWorkspaceFacts(platform: Platform, log: PredictionLog): WorkspaceService {
  const { workspaceStore: store, clock, events, timers } = platform;
  const facts = processFacts(platform, log);
  return new WorkspaceService({ store, clock, events, timers, facts });
}

function openTables(platform: Platform, engine: Engine<never>): Pick<Services, 'tables' | 'sql'> {
  const { db, events, clock, ids, folder } = platform;
  const spoolFolder = path.join(folder.temporary, 'appends');
  const store = new TablesStore(db);
  const tables = new TablesService({ store, engine, events, clock, ids, spoolFolder });
  return { tables, sql: new SqlService({ engine }) };
}
