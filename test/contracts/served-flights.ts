import Fastify, { type FastifyInstance } from 'fastify';
import { openTracking } from '../../src/app/open-tracking.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { AppError } from '../../src/base/errors.ts';
import type { Micros } from '../../src/base/time.ts';
import { PredictionLog } from '../../src/capabilities/predictions/log.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { DeploymentChecks } from '../../src/capabilities/serving/deployment-checks.ts';
import { Gateway } from '../../src/capabilities/serving/gateway.ts';
import { LiveRoutes } from '../../src/capabilities/serving/live-routes.ts';
import { oipRoutes } from '../../src/capabilities/serving/oip.ts';
import { RouteChanges } from '../../src/capabilities/serving/route-changes.ts';
import type {
  FeatureDefinition,
  FeatureInputs,
  FeatureSource,
  ServedFeatures,
  TrainingRow,
} from '../../src/capabilities/serving/served-features.ts';
import { ServingStore } from '../../src/capabilities/serving/store.ts';
import type { VersionOrigin } from '../../src/capabilities/serving/version-origin.ts';
import { WarmModels } from '../../src/capabilities/serving/warm-models.ts';
import type { Engine } from '../../src/platform/engine/port.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { createIds } from '../../src/platform/system.ts';
import { versionModel } from '../onnx-model.ts';

/** A feature store of one service whose values a test can foretell, and decides. */
export class FlightFeatures implements FeatureSource {
  readonly service = 'late_v1';
  /** Hash of the definition that is the newest. */
  current = 'd1'.repeat(32);
  readonly inputs = [
    { name: 'origin', type: 'string' },
    { name: 'distance', type: 'long' },
    { name: 'ratio', type: 'double' },
    { name: 'night', type: 'boolean' },
  ] as const;
  readonly features = ['distance', 'is_ord', 'missing'];
  readonly definitions = new Map<string, FeatureDefinition>();
  /** Of `late_train`, whatever its version. */
  training: readonly TrainingRow[] = [];
  /** Nothing before this is kept. */
  keptSince = 0;
  /** What recomputing gives for every row; null when it is impossible. */
  offline: readonly (number | null)[] | null = null;
  readonly asked: { readonly inputs: FeatureInputs; readonly at: Micros }[] = [];
  readonly resolved: (string | null)[] = [];
  kept: readonly string[] = [];

  has(service: string): Promise<boolean> {
    return Promise.resolve(service === this.service);
  }

  resolve(service: string, definition: string | null): Promise<ServedFeatures> {
    this.resolved.push(definition);
    if (service !== this.service) {
      const error = new AppError('INVALID_INPUT', `There is no feature service ${service}.`);
      return Promise.reject(error);
    }
    return Promise.resolve({
      service,
      definition: definition ?? this.current,
      inputs: this.inputs,
      features: this.features,
      reachesBackTo: (at) => at >= this.keptSince,
      read: (inputs, at) => this.#read(inputs, at),
    });
  }

  keepOnly(definitions: ReadonlySet<string>): void {
    this.kept = [...definitions];
  }

  definition(hash: string): Promise<FeatureDefinition | null> {
    return Promise.resolve(this.definitions.get(hash) ?? null);
  }

  trainingRows(): Promise<readonly TrainingRow[]> {
    return Promise.resolve(this.training);
  }

  recompute({ rows }: { readonly rows: readonly FeatureInputs[] }) {
    if (this.offline === null) {
      return Promise.reject(new AppError('TABLE_VERSION_NOT_FOUND', 'The tables are gone.'));
    }
    const { offline } = this;
    return Promise.resolve(rows.map(() => offline));
  }

  #read(inputs: FeatureInputs, at: Micros) {
    this.asked.push({ inputs, at });
    const isOrd = inputs['origin'] === 'ORD' ? 1 : 0;
    const missing = inputs['night'] === true ? null : 0;
    const values = [Number(inputs['distance']), isOrd, missing];
    return { values, watermarks: { 'main.landings': 7 } };
  }
}

export interface ServedFlights extends AsyncDisposable {
  readonly app: TestApp;
  readonly features: FlightFeatures;
  readonly http: FastifyInstance;
  readonly changes: RouteChanges;
  /** Where every version comes from. */
  origin: VersionOrigin | null;
  /** The model's `score` is the sum of the weighted features. */
  register(weights?: readonly number[]): Promise<void>;
  deploy(version: number): ReturnType<RouteChanges['deploy']>;
  infer(inputs: unknown, name?: string): Promise<InferReply>;
}

interface InferReply {
  readonly status: number;
  readonly body: { readonly error: string; readonly outputs: { readonly data: number[] }[] };
  readonly id: string;
}

/** An origin that passes every check there is something to look at for. */
export function originOf(features: FlightFeatures): VersionOrigin {
  return {
    run: 'run_1',
    definition: features.current,
    trainingSet: null,
    columns: null,
    codeTree: null,
    codeCommit: null,
    environment: null,
    command: null,
    tables: [],
    golden: () => Promise.resolve(null),
  };
}

/** Endpoint `late` over a service of a test's own, on a real app's platform. */
export async function openServedFlights(): Promise<ServedFlights> {
  const app = await createTestApp();
  const features = new FlightFeatures();
  const { db, events, inference, journal } = app.app.platform;
  const { clock } = app;
  const engine = app.app.platform.engine as unknown as Engine<never>;
  const [log, ids, faults] = [silentLog, createIds(clock), noFaults];
  const { registry } = openTracking(app.app.platform);
  const models = new WarmModels({ registry, inference, log });
  const routes = new LiveRoutes();
  const origins = { originOf: () => Promise.resolve(rig.origin) };
  const changes = new RouteChanges({
    store: new ServingStore(db),
    routes,
    models,
    registry,
    features,
    checks: new DeploymentChecks({ origins, source: features }),
    events,
    clock,
    ids,
    faults,
    log,
  });
  const predictionLog = new PredictionLog({ journal, engine, events, clock, log });
  const gateway = new Gateway({ routes, log: predictionLog, inference, clock, ids });
  const http = Fastify();
  await http.register((scope, _, done) => {
    oipRoutes({ gateway, routes, predictionLog, clock, log, programVersion: '0' })(scope);
    done();
  });
  const rig: ServedFlights = {
    app,
    features,
    http,
    changes,
    origin: originOf(features),
    register: async (weights = [1, 10, 100]) => {
      const bytes = versionModel({ version: 1, weights });
      await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    },
    deploy: (version) =>
      changes.deploy({
        endpoint: 'late',
        actor: 'test',
        reason: '',
        ifRevision: undefined,
        version,
      }),
    infer: async (inputs, name = 'late') => {
      const url = `/v2/models/${name}/infer`;
      const reply = await http.inject({ method: 'POST', url, payload: { inputs } });
      const id = String(reply.headers['x-request-id']);
      return { status: reply.statusCode, body: reply.json(), id };
    },
    [Symbol.asyncDispose]: async () => {
      await http.close();
      await models.close();
      await app[Symbol.asyncDispose]();
    },
  };
  const body = { model: 'late', service: features.service };
  await app.api.call(putEndpoint, { params: { endpoint: 'late' }, body });
  return rig;
}
