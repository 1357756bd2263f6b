import { present } from '../base/assert.ts';
import { parseInstant, type Micros } from '../base/time.ts';
import type { FeaturesService } from '../capabilities/features/service.ts';
import type { CompareParts, ScorableVersion } from '../capabilities/monitoring/compare-service.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { DeclaredLabels } from '../capabilities/predictions/declared-labels.ts';
import type { LabelSources } from '../capabilities/predictions/label-sources.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';

interface On {
  readonly registry: Pick<RegistryService, 'getVersion' | 'localFile'>;
  readonly origins: VersionOrigins;
  readonly features: FeaturesService;
  readonly endpoints: Pick<ServingStore, 'requireEndpoint'>;
  readonly labels: DeclaredLabels;
  readonly monitors: Pick<MonitoringService, 'get'>;
  readonly labelSources: Pick<LabelSources, 'catchUp'>;
  readonly predictionLog: Pick<PredictionLog, 'flush'>;
}

/** What comparisons need of the rest of the program. */
export function compareParts(on: On): CompareParts {
  const { registry, origins, features, endpoints, monitors } = on;
  const { labels, labelSources, predictionLog } = on;
  return {
    version: async (model, version) => {
      const found = await registry.getVersion(model, version);
      return {
        modelFile: await registry.localFile(found),
        digest: found.digest,
        layout: await layoutOf(features, (await origins.originOf(model, version))?.definition),
      };
    },
    quality: async (name) => (await monitors.get(name)).spec.quality,
    endpoint: async (name) => {
      const { model } = await endpoints.requireEndpoint(name);
      const label = (await labels.labels()).find(({ endpoint }) => endpoint === name);
      return { model, matureMicros: label?.matureMicros ?? null };
    },
    trainingSet: async (name, version) => {
      const built = await features.version(name, version);
      const { tableVersion, range, definitionHash: definition } = built;
      const table = { namespace: 'training_sets', name };
      return {
        source: { kind: 'training-set', table, tableVersion },
        layout: { definition, features: built.features },
        from: instant(range.from),
        until: instant(range.until),
      };
    },
    catchUp: async (at) => {
      await predictionLog.flush();
      await labelSources.catchUp(at);
    },
  };
}

/** The gateway gives a model the vector in the order of the service, whatever its run named it. */
async function layoutOf(
  features: FeaturesService,
  definition: string | null | undefined,
): Promise<ScorableVersion['layout']> {
  if (definition == null) return null;
  const found = await features.compiledDefinition(definition);
  if (found === null) return null;
  return { definition, features: found.features.map(({ name }) => name) };
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant of a training set');
}
