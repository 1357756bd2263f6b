import type {
  FeatureProfile,
  FeatureWatermark,
  Service,
  TrainingSet,
  TrainingVersion,
  View,
} from '../../src/capabilities/features/contract.ts';
import { at, hex, wallAt } from './fixture-values.ts';

/** What the feature store answers from. */
export interface FeaturesFixture {
  readonly services: readonly Service[];
  readonly views: readonly View[];
  readonly sets: readonly TrainingSet[];
  readonly versions: readonly TrainingVersion[];
  readonly watermarks: readonly FeatureWatermark[];
}

export const NO_FEATURES: FeaturesFixture = {
  services: [],
  views: [],
  sets: [],
  versions: [],
  watermarks: [],
};

const WINDOWS = ['2h', '1d', '7d', '30d'];
const DELAYS = {
  n: { agg: 'count' },
  late: { agg: 'avg', of: 'cast(late as double)' },
  delay: { agg: 'avg', of: 'clamp(delay, -30, 180)' },
};
const KEYS: Readonly<Record<string, readonly string[]>> = {
  origin_delays: ['origin'],
  destination_delays: ['destination'],
  route_delays: ['origin', 'destination'],
};
/** 2001-01-31 and 2001-02-27: where training rows start and end. */
const FROM_SECOND = 980_899_200;
const UNTIL_SECOND = 983_232_000;

/** The flights example: 3 views of 12 features each, one service, a training set of 3 versions. */
export function flightFeatures(): FeaturesFixture {
  const views = Object.keys(KEYS).map((name, index) => view(name, index));
  const service = serviceOf(views);
  return {
    services: [service],
    views,
    sets: [
      {
        ...applied('late_train', 40),
        service: service.name,
        latestVersion: 3,
      },
      { ...applied('never_built', 41), service: service.name, latestVersion: null },
    ],
    versions: [3, 2, 1].map((number) => version(service, number)),
    watermarks: [
      {
        table: 'default.landings',
        version: 117,
        views: views.map(({ name }) => name),
        building: ['route_delays'],
        error: null,
      },
      {
        table: 'default.airports',
        version: null,
        views: [],
        building: [],
        error: 'Column iata of default.airports is gone; apply a definition without it.',
      },
    ],
  };
}

function applied(name: string, seed: number) {
  return { name, hash: hex(seed, 64), appliedAt: wallAt(-50_000), appliedBy: 'ana' };
}

function view(name: string, index: number): View {
  return {
    ...applied(name, 20 + index),
    source: 'landings',
    table: 'default.landings',
    keys: KEYS[name]!.map((key) => ({ name: key, type: 'string' })),
    windows: WINDOWS,
    features: Object.entries(DELAYS).map(([of, { agg }]) => ({ name: of, function: agg })),
    declared: {
      entity: name.split('_')[0],
      source: 'landings',
      windows: WINDOWS,
      features: DELAYS,
    },
  };
}

function serviceOf(views: readonly View[]): Service {
  const windowed = views.flatMap((one) =>
    one.features.flatMap(({ name }) =>
      WINDOWS.map((window) => ({
        name: `${one.name}__${name}_${window}`,
        kind: 'window' as const,
        view: one.name,
        aggregate: name,
        window,
      })),
    ),
  );
  const request = ['distance', 'hour'].map((name) => ({
    name,
    kind: 'request' as const,
    view: null,
    aggregate: null,
    window: null,
  }));
  return {
    ...applied('late_v1', 30),
    views: views.map(({ name, hash }) => ({ name, hash })),
    inputs: [
      { name: 'origin', type: 'string', role: 'key' },
      { name: 'destination', type: 'string', role: 'key' },
      { name: 'distance', type: 'long', role: 'request' },
    ],
    features: [...windowed, ...request],
    declared: {
      features: views.map(({ name }) => `${name}.*`),
      request: { distance: 'int32', hour: 'hour(local(T, origin))' },
    },
  };
}

function version(service: Service, number: number): TrainingVersion {
  return {
    name: 'late_train',
    version: number,
    tableVersion: number + 4,
    service: service.name,
    definitionHash: service.hash,
    range: { from: at(FROM_SECOND), until: at(UNTIL_SECOND) },
    rows: 230_112 - number,
    leftOut: { unfinishedWindow: 412_003, immatureLabel: 1204, missingLabel: 37, excluded: 0 },
    sources: [
      { table: 'default.departures', version: 118 },
      { table: 'default.landings', version: 117 },
    ],
    features: service.features.map(({ name }) => name),
    label: 'late',
    labelRate: 0.2114,
    profile: service.features.map(({ name }, index) => profile(name, index)),
    createdNow: at(UNTIL_SECOND + 60),
    createdWall: wallAt(-4000 + number * 60),
    createdBy: 'cli',
  };
}

function profile(name: string, index: number): FeatureProfile {
  const edges = Array.from({ length: 49 }, (_, bin) => Math.expm1((bin + 1) / 16) / 20);
  const isEmpty = index === 3;
  return {
    name,
    count: isEmpty ? 0 : 230_109 - index * 100,
    nulls: isEmpty ? 230_109 : index * 100,
    min: isEmpty ? null : 0,
    max: isEmpty ? null : 1.2,
    mean: isEmpty ? null : 0.21 + index / 100,
    histogram: isEmpty
      ? { edges: [], counts: [0] }
      : { edges, counts: Array.from({ length: 50 }, (_, bin) => 4600 - bin * 3) },
  };
}
