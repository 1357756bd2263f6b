import { createReadStream } from 'node:fs';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../base/time.ts';
import {
  getService,
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
import { getLogStatus, listPredictions } from '../../capabilities/predictions/contract.ts';
import {
  challengeLoop,
  getLoop,
  listDecisions,
  listInstances,
  triggerLoop,
  type Decision,
  type Loop,
} from '../../capabilities/loop/contract.ts';
import { compareOnLog, type Comparison } from '../../capabilities/monitoring/compare-contract.ts';
import { getMaturity, type MaturityDetail } from '../../capabilities/maturity/contract.ts';
import { listEvaluations } from '../../capabilities/monitoring/contract.ts';
import { getPipelineRun, startPipeline } from '../../capabilities/pipelines/contract.ts';
import { getVersion, type ModelVersion } from '../../capabilities/registry/contract.ts';
import {
  deploy,
  getEndpoint,
  listRevisions,
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
import type { RouteReply } from '../../base/route.ts';
import type { Api } from '../../platform/cli/context.ts';
import { readDeclaration } from '../../platform/config/load-config.ts';
import { sleep, systemClock } from '../../platform/system.ts';
import {
  AIRPORTS,
  DEPARTURES,
  LANDINGS,
  type FlightFile,
  type FlightFiles,
} from './flight-files.ts';

type LogStatus = RouteReply<typeof getLogStatus>;

export const ENDPOINT = 'late';
const MODEL = 'late';
const SERVICE = 'late_v1';
const TRAINING_SET = 'late_train';
const NAMESPACE = 'default';
const LOOP = 'late';
const LOOK_MS = 200;
const PAGE = 100;

/** A run that goes on before anybody waits for it. */
interface Begun {
  /** Hears of its progress from now on. */
  tell: (text: string) => void;
  readonly ended: Promise<{ readonly environmentSeconds: number }>;
}

/**
 * The quickstart's steps, as any program outside would do them: over HTTP, with the public
 * contracts. Each can be repeated: what is there already stays.
 */
export class FlightsStory {
  readonly #api: Api;
  readonly #folder: string;
  readonly #begun = new Map<string, Begun>();

  constructor(options: { readonly api: Api; readonly folder: string }) {
    this.#api = options.api;
    this.#folder = options.folder;
  }

  /**
   * Runs a stage of the project's dvc.yaml and what it needs; throws if one fails. Answers how long
   * the Python environment took to be built, which is an installation.
   */
  async run(
    target: string,
    onProgress: (text: string) => void,
  ): Promise<{ readonly environmentSeconds: number }> {
    const begun = this.#begun.get(target);
    this.#begun.delete(target);
    if (begun === undefined) return await this.#run(target, onProgress);
    begun.tell = onProgress;
    return await begun.ended;
  }

  /** Begins what `run` is going to wait for. */
  begin(target: string): void {
    const begun: Begun = {
      tell: () => undefined,
      ended: this.#run(target, (text) => begun.tell(text)),
    };
    // Whoever waits for it hears of its error.
    begun.ended.catch(() => undefined);
    this.#begun.set(target, begun);
  }

  async #run(
    target: string,
    onProgress: (text: string) => void,
  ): Promise<{ readonly environmentSeconds: number }> {
    const body = { folder: this.#folder, targets: [target] };
    const start = systemClock.elapsed();
    let environmentSeconds = 0;
    let run = await this.#api.call(startPipeline, { body });
    let said = '';
    while (run.state === 'queued' || run.state === 'running') {
      await sleep(LOOK_MS);
      run = await this.#api.call(getPipelineRun, { params: { run: run.id } });
      const step = run.steps.find(({ state }) => state === 'running');
      const lastLine = step?.logTail.trimEnd().split('\n').at(-1) ?? '';
      if (run.activity !== null) environmentSeconds = (systemClock.elapsed() - start) / 1000;
      const goesOn = run.activity ?? (step === undefined ? '' : `${step.stage}: ${lastLine}`);
      if (goesOn !== said) onProgress(goesOn);
      said = goesOn;
    }
    if (run.state === 'succeeded') return { environmentSeconds };
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

  async trainingSet(version: number): Promise<TrainingVersion> {
    return this.#api.call(getTrainingVersion, { params: { name: TRAINING_SET, version } });
  }

  async runOf({ runId }: ModelVersion): Promise<Run> {
    return this.#api.call(getRun, { params: { run: present(runId, 'the run of the version') } });
  }

  async version(version: number): Promise<ModelVersion> {
    return this.#api.call(getVersion, { params: { model: MODEL, version } });
  }

  /** What the endpoint answers with; null before the first deployment. */
  async route(): Promise<RouteRevision | null> {
    return (await this.#api.call(getEndpoint, { params: { endpoint: ENDPOINT } })).route;
  }

  async revision(wanted: number): Promise<RouteRevision> {
    const found = await this.#all((query) =>
      this.#api.call(listRevisions, { params: { endpoint: ENDPOINT }, query }),
    );
    return present(
      found.find(({ revision }) => revision === wanted),
      `revision ${wanted}`,
    );
  }

  async deploy(version: number, reason: string): Promise<void> {
    await this.#api.call(deploy, { params: { endpoint: ENDPOINT }, body: { version, reason } });
  }

  async loop(): Promise<Loop> {
    return this.#api.call(getLoop, { params: { loop: LOOP } });
  }

  /** Oldest first. */
  async decisions(): Promise<readonly Decision[]> {
    const found = await this.#all((query) =>
      this.#api.call(listDecisions, { params: { loop: LOOP }, query }),
    );
    return found.toReversed();
  }

  async trigger(reason: string): Promise<void> {
    await this.#api.call(triggerLoop, { params: { loop: LOOP }, body: { reason } });
  }

  /** The version that was put before the gate last. */
  async newestChallenger(): Promise<number> {
    const { items } = await this.#api.call(listInstances, { params: { loop: LOOP }, query: {} });
    const found = items.find(({ challenger }) => challenger !== null);
    return present(found?.challenger, 'a challenger');
  }

  async challenge(version: number, override: string): Promise<void> {
    const body = { version, reason: override, override };
    await this.#api.call(challengeLoop, { params: { loop: LOOP }, body });
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

  async logStatus(): Promise<LogStatus> {
    return this.#api.call(getLogStatus, {});
  }

  /** Rows of the prediction log. */
  async loggedRows(): Promise<number> {
    const params = { namespace: 'predictions', name: ENDPOINT };
    return (await this.#api.call(getTable, { params, query: {} })).rows;
  }

  /** Requests that the monitor has counted, day by day, by the version that answered. */
  async answeredByVersion(
    from: Micros,
    until: Micros,
  ): Promise<readonly { readonly version: number; readonly requests: number }[]> {
    const span = { from: formatInstant(micros(from + 1)), until: formatInstant(micros(until + 1)) };
    const params = { monitor: ENDPOINT };
    const evaluations = await this.#all((query) =>
      this.#api.call(listEvaluations, { params, query: { ...query, ...span, kind: 'traffic' } }),
    );
    const counts = new Map<number, number>();
    for (const { version, requests } of evaluations.flatMap(({ versions }) => versions)) {
      counts.set(version, (counts.get(version) ?? 0) + requests);
    }
    return [...counts]
      .map(([version, requests]) => ({ version, requests }))
      .sort((a, b) => a.version - b.version);
  }

  /** What became of the labels of requests answered meanwhile. */
  async labelStates(from: Micros, until: Micros): Promise<LabelStates> {
    await this.#api.call(catchUpLabels, {});
    return this.#api.call(getLabelStates, {
      params: { endpoint: ENDPOINT },
      query: { from: formatInstant(from), until: formatInstant(until) },
    });
  }

  /** By week, on the requests whose labels are known. */
  async compareWithServed(version: number, from: Micros, until: Micros): Promise<Comparison> {
    return this.#api.call(compareOnLog, {
      params: { endpoint: ENDPOINT },
      body: {
        versions: [version, 'served'],
        from: formatInstant(from),
        until: formatInstant(until),
        per: 'week',
      },
    });
  }

  async level(): Promise<MaturityDetail> {
    return this.#api.call(getMaturity, { params: { endpoint: ENDPOINT } });
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

  async #all<T>(
    list: (query: { readonly limit: number; readonly cursor?: string }) => Promise<{
      readonly items: readonly T[];
      readonly nextCursor: string | null;
    }>,
  ): Promise<T[]> {
    const all: T[] = [];
    let page = await list({ limit: PAGE });
    for (;;) {
      all.push(...page.items);
      if (page.nextCursor === null) return all;
      page = await list({ limit: PAGE, cursor: page.nextCursor });
    }
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
