import { createReadStream } from 'node:fs';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import {
  getService,
  getTrainingSet,
  getTrainingVersion,
  getWatermarks,
  verifyService,
  type Service,
  type TrainingVersion,
  type VerifyReport,
} from '../../capabilities/features/contract.ts';
import {
  catchUpLabels,
  getLabelStates,
  type LabelStates,
} from '../../capabilities/predictions/label-contract.ts';
import { listPredictions } from '../../capabilities/predictions/contract.ts';
import { getPipelineRun, startPipeline } from '../../capabilities/pipelines/contract.ts';
import { listVersions, type ModelVersion } from '../../capabilities/registry/contract.ts';
import {
  deploy,
  getEndpoint,
  traceRequest,
  type RouteRevision,
  type Trace,
} from '../../capabilities/serving/contract.ts';
import { getRun, type Run } from '../../capabilities/tracking/contract.ts';
import {
  appendRows,
  createTable,
  getTable,
  PARQUET_TYPE,
  type Table,
} from '../../capabilities/tables/contract.ts';
import {
  advanceClock,
  applyDeclared,
  getStatus,
  type Applied,
} from '../../capabilities/workspace/contract.ts';
import type { Api } from '../../platform/cli/context.ts';
import { readDeclaration } from '../../platform/config/load-config.ts';
import { sleep } from '../../platform/system.ts';
import {
  AIRPORTS,
  DEPARTURES,
  LANDINGS,
  type FlightFile,
  type FlightFiles,
} from './flight-files.ts';

export const ENDPOINT = 'late';
const MODEL = 'late';
const SERVICE = 'late_v1';
const TRAINING_SET = 'late_train';
const NAMESPACE = 'default';
const LOOK_MS = 200;

/**
 * The quickstart's steps, as any program outside would do them: over HTTP, with the public
 * contracts. Each can be repeated: what is there already stays.
 */
export class FlightsStory {
  readonly #api: Api;
  readonly #folder: string;

  constructor(options: { readonly api: Api; readonly folder: string }) {
    this.#api = options.api;
    this.#folder = options.folder;
  }

  /** Runs a stage of the project's dvc.yaml and what it needs; throws if one fails. */
  async run(target: string, onProgress: (text: string) => void): Promise<void> {
    const body = { folder: this.#folder, targets: [target] };
    let run = await this.#api.call(startPipeline, { body });
    let said = '';
    while (run.state === 'queued' || run.state === 'running') {
      await sleep(LOOK_MS);
      run = await this.#api.call(getPipelineRun, { params: { run: run.id } });
      const step = run.steps.find(({ state }) => state === 'running');
      const lastLine = step?.logTail.trimEnd().split('\n').at(-1) ?? '';
      const goesOn = run.activity ?? (step === undefined ? '' : `${step.stage}: ${lastLine}`);
      if (goesOn !== said) onProgress(goesOn);
      said = goesOn;
    }
    if (run.state === 'succeeded') return;
    const failed = run.steps.find(({ state }) => state === 'failed');
    const message = failed?.error?.message ?? run.error?.message ?? `It is ${run.state}.`;
    throw new AppError('STAGE_FAILED', `${failed?.stage ?? target}: ${message}`, {
      hint: failed?.error?.hint ?? run.error?.hint ?? `Its log:\n${failed?.logTail ?? ''}`,
    });
  }

  /** Everything that had happened before `until`, as tables. */
  async load(files: FlightFiles, until: Micros): Promise<Readonly<Record<string, Table>>> {
    const tables: Record<string, Table> = {};
    for (const file of [AIRPORTS, DEPARTURES, LANDINGS]) {
      await this.#create(file);
      const parquet = await files.before(file, until);
      const params = { namespace: NAMESPACE, name: file.name };
      await this.#api.call(
        appendRows,
        { params, query: { batch: `before ${formatInstant(until)}` } },
        { bytes: createReadStream(parquet), contentType: PARQUET_TYPE },
      );
      tables[file.name] = await this.#api.call(getTable, { params, query: {} });
    }
    return tables;
  }

  /** Domain time. */
  async now(): Promise<Micros> {
    const { now } = await this.#api.call(getStatus, {});
    return present(parseInstant(now), 'an instant');
  }

  async advance(to: Micros): Promise<void> {
    await this.#api.call(advanceClock, { body: { to: formatInstant(to) } });
  }

  /** Applies the project's millwright.yaml. */
  async declare(): Promise<Applied> {
    const { sections } = readDeclaration(this.#folder, undefined);
    return this.#api.call(applyDeclared, { body: { declared: { ...sections } } });
  }

  /** Until the online store shows this version of the landings. */
  async awaitOnline(version: number): Promise<void> {
    const wait = `${NAMESPACE}.${LANDINGS.name}@${version}`;
    for (;;) {
      const { items, reached } = await this.#api.call(getWatermarks, { query: { wait } });
      if (reached) return;
      const error = items.find((item) => item.error !== null)?.error;
      if (error !== undefined && error !== null) throw new AppError('FEATURES_NOT_READY', error);
    }
  }

  async newestLandings(): Promise<number> {
    const params = { namespace: NAMESPACE, name: LANDINGS.name };
    return (await this.#api.call(getTable, { params, query: {} })).version;
  }

  async service(): Promise<Service> {
    return this.#api.call(getService, { params: { service: SERVICE } });
  }

  /** The newest version of the training set. */
  async trainingSet(): Promise<TrainingVersion> {
    const { latestVersion } = await this.#api.call(getTrainingSet, {
      params: { name: TRAINING_SET },
    });
    const version = present(latestVersion, 'a version of the training set');
    return this.#api.call(getTrainingVersion, { params: { name: TRAINING_SET, version } });
  }

  async runOf({ runId }: ModelVersion): Promise<Run> {
    return this.#api.call(getRun, { params: { run: present(runId, 'the run of the version') } });
  }

  async newestVersion(): Promise<ModelVersion> {
    const query = { limit: 1 };
    const page = await this.#api.call(listVersions, { params: { model: MODEL }, query });
    return present(page.items[0], 'a version of the model');
  }

  async deploy(version: ModelVersion, reason: string): Promise<RouteRevision> {
    const params = { endpoint: ENDPOINT };
    const { route } = await this.#api.call(getEndpoint, { params });
    const isServed = route?.arms.length === 1 && route.arms[0]?.version === version.version;
    if (isServed && route !== null) return route;
    return this.#api.call(deploy, { params, body: { version: version.version, reason } });
  }

  /** One batch of a stream that numbers its batches; answers the table's version. */
  async append(file: FlightFile, rows: readonly object[], sequence: number): Promise<number> {
    const { version } = await this.#api.call(
      appendRows,
      { params: { namespace: NAMESPACE, name: file.name }, query: { stream: 'replay', sequence } },
      {
        bytes: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')),
        contentType: 'application/x-ndjson',
      },
    );
    return version;
  }

  /** What became of the labels of requests since `from`. */
  async labelStates(from: Micros): Promise<LabelStates> {
    await this.#api.call(catchUpLabels, {});
    return this.#api.call(getLabelStates, {
      params: { endpoint: ENDPOINT },
      query: { from: formatInstant(from), until: formatInstant(await this.now()) },
    });
  }

  /** Id of the request that was answered last. */
  async newestRequest(): Promise<string> {
    const found = await this.#api.call(listPredictions, {
      params: { endpoint: ENDPOINT },
      query: { limit: 1 },
    });
    return present(found.items[0], 'an answered request').requestId;
  }

  /** Recomputes every logged vector from the tables. */
  async verify(): Promise<VerifyReport> {
    return this.#api.call(verifyService, { body: { service: SERVICE } });
  }

  async trace(requestId: string): Promise<Trace> {
    return this.#api.call(traceRequest, { params: { requestId } });
  }

  async #create({ name, columns }: FlightFile): Promise<void> {
    try {
      await this.#api.call(createTable, {
        body: { namespace: NAMESPACE, name, columns: [...columns] },
      });
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'TABLE_EXISTS') throw thrown;
    }
  }
}
