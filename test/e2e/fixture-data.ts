import type { PipelineRun } from '../../src/capabilities/pipelines/contract.ts';
import type {
  Label,
  Prediction,
  TrafficPoint,
} from '../../src/capabilities/predictions/contract.ts';
import type { Model, ModelVersion } from '../../src/capabilities/registry/contract.ts';
import {
  BUCKETS,
  type Arm,
  type Endpoint,
  type RouteRevision,
  type Trace,
} from '../../src/capabilities/serving/contract.ts';
import type { Event, Health, Status } from '../../src/capabilities/workspace/contract.ts';
import { flightFeatures, NO_FEATURES, type FeaturesFixture } from './fixture-features.ts';
import { NO_TRACKING, runId, trackingFixture, type TrackingFixture } from './fixture-runs.ts';
import { pipelinesFixture } from './fixture-pipelines.ts';
import { NO_STORY, storyOf, type StoryFixture } from './fixture-story.ts';
import { at, hex, WALL_SECOND, wallAt } from './fixture-values.ts';

/** 2001-03-01 06:00 UTC: where the clock of the replay fixture stands. */
const REPLAY_SECOND = 983_426_400;

/** What a fixture server answers from. */
export interface Fixture {
  readonly status: Status;
  readonly health: Health;
  readonly log: {
    readonly answered: number;
    readonly journaled: number;
    readonly flushed: number;
    readonly quarantined: number;
    readonly refused: number;
    readonly unflushedBytes: number;
    readonly unflushedBytesMax: number;
    readonly segments: number;
    readonly room: 'roomy' | 'filling' | 'full';
    readonly lastFlushAt: string | null;
    readonly lastFlushError: string | null;
  };
  readonly models: readonly Model[];
  readonly versions: readonly ModelVersion[];
  readonly endpoints: readonly Endpoint[];
  readonly revisions: readonly RouteRevision[];
  readonly predictions: readonly Prediction[];
  readonly labels: readonly Label[];
  /** What every trace tells of features and of the answering version's run. */
  readonly traced: Pick<Trace, 'features' | 'origin'>;
  readonly traffic: readonly TrafficPoint[];
  /** Oldest first. */
  readonly events: readonly Event[];
  readonly tracking: TrackingFixture;
  readonly features: FeaturesFixture;
  /** Newest first. */
  readonly pipelines: readonly PipelineRun[];
  readonly story: StoryFixture;
}

export function requestId(index: number): string {
  return `req_01997c${hex(index, 20)}${String(index).padStart(6, '0')}`;
}

/** A workspace just made: nothing registered, nothing happened but its own start. */
export function emptyFixture(): Fixture {
  return {
    status: {
      name: 'flights',
      version: '0.1.0',
      clock: 'live',
      now: wallAt(0),
      wall: wallAt(0),
      startedAt: wallAt(-95),
      stateFolder: '/srv/flights/.millwright',
      database: 'sqlite',
      pid: 4711,
      engine: { state: 'ready', pid: 4712, restarts: 0 },
      residentBytes: 181_403_648,
    },
    health: {
      status: 'ok',
      version: '0.1.0',
      components: [
        { name: 'database', status: 'ok' },
        { name: 'engine', status: 'ok' },
        { name: 'journal', status: 'ok' },
        { name: 'inference', status: 'ok', detail: 'onnxruntime 1.30.0' },
      ],
    },
    log: {
      answered: 0,
      journaled: 0,
      flushed: 0,
      quarantined: 0,
      refused: 0,
      unflushedBytes: 0,
      unflushedBytesMax: 4 * 1024 ** 3,
      segments: 0,
      room: 'roomy',
      lastFlushAt: null,
      lastFlushError: null,
    },
    models: [],
    versions: [],
    endpoints: [],
    revisions: [],
    predictions: [],
    labels: [],
    traced: { features: null, origin: null },
    traffic: [],
    events: [],
    tracking: NO_TRACKING,
    pipelines: [],
    features: NO_FEATURES,
    story: NO_STORY,
  };
}

export interface Size {
  readonly endpoints: number;
  readonly predictions: number;
  readonly events: number;
  readonly runs?: number;
  readonly pipelines?: number;
}

/** A workspace at work. The first endpoint is called `late` and was rolled back once. */
export function busyFixture(size: Size): Fixture {
  const names = Array.from({ length: size.endpoints }, (_, i) => endpointName(i));
  const versions = names.flatMap((name, i) => [1, 2, 3].map((v) => version(name, v, i)));
  const revisions = names.flatMap((name, i) => revisionsOf(name, i));
  const empty = emptyFixture();
  return {
    ...empty,
    status: { ...empty.status, startedAt: wallAt(-8 * 3600) },
    log: {
      answered: 208_431,
      journaled: 208_431,
      flushed: 208_112,
      quarantined: 0,
      refused: 0,
      unflushedBytes: 78_234,
      unflushedBytesMax: 4 * 1024 ** 3,
      segments: 1,
      room: 'roomy',
      lastFlushAt: wallAt(-3),
      lastFlushError: null,
    },
    models: names.map((name) => ({ name, createdAt: wallAt(-90_000), latestVersion: 3 })),
    versions,
    revisions,
    endpoints: names.map((name, i) => endpoint(name, i, revisions)),
    predictions: Array.from({ length: size.predictions }, (_, i) => prediction(names[0]!, i)),
    labels: [
      { requestId: requestId(0), value: 0, at: wallAt(3600), revision: 1 },
      { requestId: requestId(0), value: 1, at: wallAt(7200), revision: 2 },
    ],
    traffic: names.flatMap((name, i) => traffic(name, i, WALL_SECOND)),
    events: Array.from({ length: size.events }, (_, i) => event(i + 1, names)),
    tracking: trackingFixture(size.runs ?? 0),
    pipelines: pipelinesFixture(size.pipelines ?? 0),
    features: flightFeatures(),
    story: names[0] === undefined ? NO_STORY : storyOf(names[0]),
  };
}

/** The same in a workspace whose domain time stands in 2001. */
export function replayFixture(): Fixture {
  const busy = busyFixture({ endpoints: 1, predictions: 40, events: 30 });
  return {
    ...busy,
    status: { ...busy.status, clock: 'replay', now: at(REPLAY_SECOND) },
    traffic: traffic('late', 0, REPLAY_SECOND),
    story: storyOf('late', REPLAY_SECOND),
    predictions: busy.predictions.map((p, i) => ({ ...p, now: at(REPLAY_SECOND - i * 7) })),
  };
}

const WORDS = ['late', 'churn', 'fraud', 'ranking', 'demand', 'price', 'spam', 'eta'];

function endpointName(index: number): string {
  const word = WORDS[index % WORDS.length]!;
  return index < WORDS.length ? word : `${word}_${Math.floor(index / WORDS.length)}`;
}

function digestOf(name: string, number: number): string {
  return `sha256:${hex(name.length * 7919 + number * 104_729, 64)}`;
}

function version(model: string, number: number, index: number): ModelVersion {
  return {
    id: `mv_01997c${hex(index * 10 + number, 26)}`,
    model,
    version: number,
    digest: digestOf(model, number),
    sizeBytes: 1_243_118 + number * 4096,
    format: 'onnx',
    signature: signature(),
    description: number === 1 ? 'first cut on January' : '',
    runId: number === 2 ? runId(1) : null,
    aliases: number === 2 ? ['champion'] : [],
    tags: number === 2 ? [{ key: 'reviewed_by', value: 'ana' }] : [],
    deletedAt: null,
    createdAt: wallAt(-80_000 + number * 9000),
    createdBy: 'cli',
  };
}

function signature(): ModelVersion['signature'] {
  return {
    inputs: [
      { name: 'features', datatype: 'FP32', shape: [-1, 36] },
      { name: 'origin', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
    ],
  };
}

function arm(model: string, name: string, number: number, weight: number): Arm {
  return { name, model, version: number, digest: digestOf(model, number), weight };
}

/** v1, then v3 by canary, then back: a rollback that restores revision 1. */
function revisionsOf(model: string, index: number): readonly RouteRevision[] {
  const revision = (
    number: number,
    arms: readonly Arm[],
    reason: string,
    restores: number | null,
  ): RouteRevision => ({
    id: `rt_01997c${hex(index * 100 + number, 26)}`,
    endpoint: model,
    revision: number,
    arms: [...arms],
    salt: hex(index, 16),
    actor: number === 3 ? 'ana' : 'cli',
    reason,
    restores,
    isDrill: false,
    features: null,
    evidence: [],
    now: wallAt(-9000 + number * 1800),
    wall: wallAt(-9000 + number * 1800),
    hash: hex(index * 31 + number, 64),
  });
  const isSplit = index % 3 === 1;
  const split = [arm(model, 'blue', 2, 9000), arm(model, 'green', 3, 1000)];
  return [
    revision(1, [arm(model, 'blue', 2, BUCKETS)], 'weekly retrain', null),
    revision(2, [arm(model, 'green', 3, BUCKETS)], 'wider trees', null),
    revision(
      3,
      isSplit ? split : [arm(model, 'blue', 2, BUCKETS)],
      isSplit ? 'canary at 10 %' : 'support tickets: wrong for ORD',
      isSplit ? null : 1,
    ),
  ];
}

function endpoint(name: string, index: number, all: readonly RouteRevision[]): Endpoint {
  const own = all.filter((revision) => revision.endpoint === name);
  const isIdle = index === 7;
  return {
    name,
    model: name,
    key: 'flight_id',
    sticky: null,
    durability: 'async',
    service: null,
    rollout: null,
    createdAt: wallAt(-40_000),
    route: isIdle ? null : own.at(-1)!,
    signature: signature(),
    warm: isIdle
      ? []
      : [
          { version: 2, placement: 'main', runP99Us: 212, loadMs: 48 },
          { version: 3, placement: 'worker', runP99Us: 318, loadMs: 61 },
        ],
  };
}

function prediction(name: string, index: number): Prediction {
  const hasFailed = index % 17 === 11;
  const inferenceUs = 180 + ((index * 37) % 90);
  return {
    requestId: requestId(index),
    endpoint: name,
    now: wallAt(-index),
    wall: wallAt(-index),
    key: `WN${1000 + index}`,
    routeRevision: 3,
    arm: 'blue',
    reason: index % 5 === 0 ? 'sticky' : 'weight',
    bucket: (index * 7919) % BUCKETS,
    model: name,
    modelVersion: 2,
    digest: digestOf(name, 2),
    runtime: 'onnxruntime 1.30.0 cpu',
    status: hasFailed ? 400 : 200,
    errorCode: hasFailed ? 'INVALID_TENSOR' : null,
    queueUs: 12 + (index % 9),
    inferenceUs,
    totalUs: inferenceUs + 120,
    inputs: [
      {
        name: 'features',
        datatype: 'FP32',
        shape: [1, 36],
        data: Array.from({ length: 36 }, (_, i) => Math.fround(((index + i) * 0.37) % 3)),
      },
      { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
    ],
    outputs: hasFailed
      ? null
      : [
          { name: 'label', datatype: 'INT64', shape: [1], data: [1] },
          {
            name: 'probabilities',
            datatype: 'FP32',
            shape: [1, 2],
            data: [0.17, 0.83].map(Math.fround),
          },
        ],
    truncated: false,
    features: null,
    client: '127.0.0.1',
    traceId: null,
    source: index < 12 ? 'journal' : 'table',
  };
}

function traffic(name: string, index: number, end: number): readonly TrafficPoint[] {
  if (index === 7) return [];
  return Array.from({ length: 590 }, (_, back) => {
    const second = end - back;
    const requests = Math.round(
      (40 / (1 + index)) * (1.4 + Math.sin(second / 40 + index)) + ((second * 31) % 7),
    );
    return [2, 3]
      .filter((v) => v === 2 || index % 3 === 1 || (index === 0 && back > 300 && back < 420))
      .map((v) => ({
        now: at(second),
        endpoint: name,
        modelVersion: v,
        requests: v === 2 ? requests : Math.ceil(requests / 9),
        errors: second % 97 === 0 ? 1 : 0,
        p50Us: 240 + v,
        p99Us: 610 + ((second * 13) % 300),
      }));
  }).flat();
}

const KINDS = ['model.registered', 'route.deployed', 'table.appended', 'endpoint.changed'];

export function event(seq: number, names: readonly string[]): Event {
  const name = names[(seq * 7) % names.length]!;
  const kind = KINDS[seq % KINDS.length]!;
  const subjects = [`model/${name}`, `endpoint/${name}`, 'table/lab.rows', `endpoint/${name}`];
  return {
    seq,
    wall: wallAt(-1000 + seq),
    now: wallAt(-1000 + seq),
    actor: seq % 4 === 0 ? 'ana' : 'cli',
    kind,
    subject: subjects[seq % KINDS.length]!,
    data: kind === 'route.deployed' ? { revision: seq, reason: 'weekly retrain' } : { rows: seq },
  };
}
