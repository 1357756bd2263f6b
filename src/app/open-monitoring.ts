import type { FeaturesService } from '../capabilities/features/service.ts';
import type { VersionFacts } from '../capabilities/monitoring/build-profile.ts';
import { monitorsPlan } from '../capabilities/monitoring/plan.ts';
import type { LoggedUntil, VersionSources } from '../capabilities/monitoring/ports.ts';
import { MonitoringService } from '../capabilities/monitoring/service.ts';
import { MonitoringStore } from '../capabilities/monitoring/store.ts';
import type { DeclaredLabels } from '../capabilities/predictions/declared-labels.ts';
import type { LabelSources } from '../capabilities/predictions/label-sources.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';
import type { Digest } from '../platform/blobs/port.ts';
import type { PlanPart } from '../platform/capability.ts';
import type { Engine } from '../platform/engine/port.ts';
import { AppError } from '../base/errors.ts';
import type { Platform } from './open-platform.ts';

export interface MonitoringParts {
  readonly service: MonitoringService;
  readonly plan: PlanPart;
}

interface On {
  readonly engine: Engine<never>;
  readonly registry: RegistryService;
  readonly origins: VersionOrigins;
  readonly features: FeaturesService;
  readonly predictionLog: PredictionLog;
  readonly labelSources: LabelSources;
  readonly labels: DeclaredLabels;
  readonly isEndpoint: (name: string) => Promise<boolean>;
}

/** Monitors of endpoints: `service.start` makes them follow the clock. */
export function openMonitoring(platform: Platform, on: On): MonitoringParts {
  const { db, timers, events, clock, ids } = platform;
  const store = new MonitoringStore(db);
  const versions = versionSources(platform, on);
  const log = loggedUntil(on);
  const { engine, isEndpoint } = on;
  const deps = { store, engine, timers, events, clock, ids, versions, log };
  const service = new MonitoringService(deps);
  return {
    service,
    plan: monitorsPlan({ store, monitors: service, isEndpoint, events, clock }),
  };
}

function loggedUntil({ predictionLog, labelSources, labels }: On): LoggedUntil {
  return {
    catchUp: async (at) => {
      await predictionLog.flush();
      await labelSources.catchUp(at);
    },
    labelOf: async (endpoint) => {
      const declared = await labels.labels();
      return declared.find((one) => one.endpoint === endpoint) ?? null;
    },
  };
}

function versionSources({ blobs }: Platform, on: On): VersionSources {
  const { registry, origins, features } = on;
  return {
    factsOf: async (model, version) => {
      const found = await orNull(registry.getVersion(model, version));
      if (found === null) return null;
      const { digest, format } = found;
      const modelFile = format === 'onnx' ? await blobs.localFile(digest as Digest) : null;
      const origin = await origins.originOf(model, version);
      return { version, digest, modelFile, training: await trainingOf(features, origin) };
    },
    layoutOf: async (definition) => {
      const found = await features.compiledDefinition(definition);
      if (found === null) return null;
      return { definition, features: found.features.map(({ name }) => name) };
    },
  };
}

async function trainingOf(
  features: FeaturesService,
  origin: Awaited<ReturnType<VersionOrigins['originOf']>>,
): Promise<VersionFacts['training']> {
  if (origin?.trainingSet == null) return null;
  const { name, version } = origin.trainingSet;
  const built = await orNull(features.version(name, version));
  if (built === null) return null;
  return {
    table: { namespace: 'training_sets', name },
    tableVersion: built.tableVersion,
    features: origin.columns ?? built.features,
    definition: built.definitionHash,
    spine: await spineOf(features, { name, version }),
  };
}

/** The table that the rows were made for; what was asked of the service are columns of it. */
async function spineOf(
  features: FeaturesService,
  { name, version }: { readonly name: string; readonly version: number },
): Promise<NonNullable<VersionFacts['training']>['spine']> {
  const source = await orNull(features.trainingSource(name, version));
  if (source === null) return null;
  const { set, service, spineVersion } = source;
  return {
    table: set.spine.table,
    tableVersion: spineVersion,
    idColumn: set.spine.idColumn,
    inputs: service.inputs.map((input) => ({ name: input.name, isText: input.type === 'string' })),
  };
}

/** What is gone cannot be compared with; monitors go on without it. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.status === 404) return null;
    throw thrown;
  }
}
