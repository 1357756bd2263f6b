import type {
  ArtifactEntry,
  Experiment,
  MetricPoint,
  Run,
} from '../../src/capabilities/tracking/contract.ts';
import { hex, wallAt } from './fixture-values.ts';

/** What tracking answers from. */
export interface TrackingFixture {
  readonly experiments: readonly Experiment[];
  readonly runs: readonly Run[];
  /** Of every run, by metric. */
  readonly points: Readonly<Record<string, readonly MetricPoint[]>>;
  /** Files of every run, by path. */
  readonly files: Readonly<Record<string, string>>;
}

export const NO_TRACKING: TrackingFixture = { experiments: [], runs: [], points: {}, files: {} };

export function runId(index: number): string {
  return `run_01997c${hex(index + 500, 20)}${String(index).padStart(6, '0')}`;
}

const EXPERIMENTS: readonly Experiment[] = ['Default', 'late', 'churn'].map((name, id) => ({
  id: String(id),
  name,
  artifactLocation: `mlflow-artifacts:/${id}`,
  createdAt: wallAt(-90_000),
}));

/** A drawing of 24 x 16 pixels, as text that is a file of its own. */
const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="160">' +
  '<rect width="240" height="160" fill="#eee"/><path d="M10 150L230 10" stroke="#369"/></svg>';

const FILES: Readonly<Record<string, string>> = {
  'report.json': JSON.stringify({ auc: 0.7741, slices: { ORD: 0.76, LGA: 0.79 }, rows: 230_112 }),
  'model/MLmodel': 'artifact_path: model\nflavors:\n  onnx:\n    data: model.onnx\n',
  'model/model.onnx': 'x'.repeat(4096),
  'model/requirements.txt': 'onnx==1.19.0\nskl2onnx==1.19.1\n',
  'plots/calibration.svg': PICTURE,
  'log.txt': 'a line of the log, as long as lines of logs are\n'.repeat(8000),
};

/** Runs of three experiments, newest first: of ten one is running, one failed, one is bare. */
export function trackingFixture(count: number): TrackingFixture {
  return {
    experiments: count === 0 ? EXPERIMENTS.slice(0, 1) : EXPERIMENTS,
    runs: Array.from({ length: count }, (_, index) => run(index)),
    points: {
      auc: curve(600, (x) => 0.78 - 0.25 * Math.exp(-x * 6)),
      log_loss: curve(2500, (x) => (x > 0.4 && x < 0.41 ? null : 0.42 + 0.5 * Math.exp(-x * 5))),
      seconds: curve(1, () => 47.8),
    },
    files: FILES,
  };
}

function curve(length: number, at: (x: number) => number | null): readonly MetricPoint[] {
  return Array.from({ length }, (_, step) => ({
    step,
    value: at(step / length),
    at: wallAt(-4000 + step),
    dataset: null,
  }));
}

function run(index: number): Run {
  const isRunning = index % 10 === 0;
  const hasFailed = index % 10 === 4;
  const isBare = index % 10 === 7;
  const start = -4000 - index * 777;
  const experiment = index % 3;
  return {
    id: runId(index),
    experiment: String(experiment),
    name: isBare ? `${'a-name-that-somebody-made-very-long-'.repeat(6)}${index}` : nameOf(index),
    user: index % 2 === 0 ? 'ana' : 'ci',
    status: isRunning ? 'RUNNING' : hasFailed ? 'FAILED' : 'FINISHED',
    startedAt: wallAt(start),
    endedAt: isRunning ? null : wallAt(start + 48 + index * 13),
    metrics: isBare
      ? []
      : [
          { key: 'auc', value: 0.7741 - index * 0.0013, step: 599, at: wallAt(start + 40) },
          { key: 'log_loss', value: hasFailed ? null : 0.42, step: 2499, at: wallAt(start + 40) },
          { key: 'seconds', value: 47.8, step: 0, at: wallAt(start + 40) },
        ],
    params: isBare
      ? []
      : [
          { key: 'lr', value: String(0.1 / (1 + (index % 4))) },
          { key: 'max_depth', value: String(4 + (index % 3)) },
          { key: 'seed', value: '7' },
          { key: 'features', value: 'origin_delays__late_7d, '.repeat(12) },
        ],
    tags: isBare ? [] : [{ key: 'team', value: 'flights' }, ...pinTags()],
    artifactUri: `mlflow-artifacts:/${experiment}/${runId(index).slice(4)}/artifacts`,
    inputs: isBare
      ? []
      : [
          {
            name: 'late_train',
            digest: '9c1f33aa',
            sourceType: 'local',
            source: '/srv/flights/data/late_train.parquet',
            context: 'training',
          },
        ],
    models: isBare ? [] : [{ direction: 'output', model: `m-${hex(index, 32)}` }],
    artifacts: isBare ? [] : [...entriesOf(FILES, '')],
    registeredVersions: index === 1 ? [{ model: 'late', version: 2 }] : [],
    pins: isBare
      ? null
      : {
          step: 'step_01997c40',
          pipelineRun: 'prun_01997c3f',
          stage: 'train',
          command: 'python train.py --epochs 3 --lr 0.05 --pin pins/late_train.json',
          codeTree: hex(index + 1, 40),
          codeCommit: hex(index + 2, 40),
          environment: hex(index + 3, 64),
          tables: [
            { table: 'flights.departures', version: 118 },
            { table: 'flights.landings', version: 117 },
          ],
          trainingSet: { name: 'late_train', version: 3 },
          definition: hex(index + 4, 64),
        },
  };
}

const ADJECTIVES = ['gentle', 'brave', 'quiet', 'rapid', 'odd'];
const ANIMALS = ['otter', 'heron', 'lynx', 'swift'];

function nameOf(index: number): string {
  return `${ADJECTIVES[index % 5]}-${ANIMALS[index % 4]}-${100 + index}`;
}

function pinTags(): readonly { readonly key: string; readonly value: string }[] {
  return [
    { key: 'millwright.stage', value: 'train' },
    { key: 'millwright.training_set', value: 'late_train@v3' },
  ];
}

/** The files and folders right below one folder. */
export function entriesOf(
  files: Readonly<Record<string, string>>,
  folder: string,
): readonly ArtifactEntry[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const below = Object.keys(files).filter((path) => path.startsWith(prefix));
  const names = new Set(below.map((path) => path.slice(prefix.length).split('/')[0]!));
  return [...names].toSorted().map((name) => {
    const path = prefix + name;
    const text = files[path];
    return {
      path,
      isFolder: text === undefined,
      sizeBytes: text === undefined ? null : text.length,
      digest: text === undefined ? null : `sha256:${hex(path.length, 64)}`,
    };
  });
}
