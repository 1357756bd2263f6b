import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { postLabels } from '../../capabilities/predictions/contract.ts';
import {
  listVersions,
  registerModel,
  type ModelVersion,
} from '../../capabilities/registry/contract.ts';
import {
  deploy,
  getEndpoint,
  putEndpoint,
  rollback,
  traceRequest,
  type RouteRevision,
  type Trace,
} from '../../capabilities/serving/contract.ts';
import {
  appendRows,
  createTable,
  getTable,
  type Table,
} from '../../capabilities/tables/contract.ts';
import type { Api } from '../../platform/cli/context.ts';

const MODEL = 'iris';
const ENDPOINT = 'iris';
const FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'] as const;
/** Requests under way at once: as many as a small service would see. */
const CONCURRENCY = 16;

export interface Flower {
  readonly flower: string;
  readonly measurements: readonly number[];
  readonly species: number;
}

export interface Answer {
  readonly requestId: string;
  readonly flower: string;
  readonly version: number;
  readonly label: number;
  readonly species: number;
}

/**
 * The quickstart's steps, as any program outside would do them: over HTTP, with the public
 * contracts.
 */
export class IrisStory {
  readonly #api: Api;
  readonly #url: string;
  readonly #folder: string;

  constructor(options: { readonly api: Api; readonly url: string; readonly folder: string }) {
    this.#api = options.api;
    this.#url = options.url;
    this.#folder = options.folder;
  }

  async readFlowers(): Promise<readonly Flower[]> {
    const text = await readFile(path.join(this.#folder, 'iris.csv'), 'utf8');
    const [, ...lines] = text.trim().split('\n');
    return lines.map((line) => {
      const [flower = '', ...numbers] = line.split(',');
      const species = present(numbers.at(-1), 'the species');
      return { flower, measurements: numbers.slice(0, -1).map(Number), species: Number(species) };
    });
  }

  /** The measurements as a Delta table; a second run finds its batch already in. */
  async load(flowers: readonly Flower[]): Promise<Table> {
    const params = { namespace: 'iris', name: 'measurements' };
    const columns = [
      { name: 'flower', type: 'string' as const, nullable: false },
      ...FEATURES.map((name) => ({ name, type: 'double' as const, nullable: false })),
    ];
    try {
      await this.#api.call(createTable, { body: { ...params, columns } });
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'TABLE_EXISTS') throw thrown;
    }
    const rows = flowers.map(({ flower, measurements }) => ({
      flower,
      ...Object.fromEntries(FEATURES.map((name, index) => [name, measurements[index]])),
    }));
    await this.#api.call(
      appendRows,
      { params, query: { batch: 'iris-1936' } },
      {
        bytes: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')),
        contentType: 'application/x-ndjson',
      },
    );
    return this.#api.call(getTable, { params, query: {} });
  }

  /** Registers both models; bytes that are a version already are not registered again. */
  async register(): Promise<readonly ModelVersion[]> {
    const known = await this.#knownVersions();
    const versions: ModelVersion[] = [];
    for (const [index, description] of ['logistic regression', 'random forest'].entries()) {
      const file = path.join(this.#folder, 'models', `v${index + 1}.onnx`);
      const bytes = await readFile(file);
      const former = known.find((version) => version.description === description);
      versions.push(
        former ??
          (await this.#api.call(
            registerModel,
            { params: { model: MODEL }, query: { description } },
            { bytes },
          )),
      );
    }
    return versions;
  }

  async deploy(version: ModelVersion, reason: string): Promise<RouteRevision> {
    const params = { endpoint: ENDPOINT };
    await this.#api.call(putEndpoint, { params, body: { model: MODEL, key: 'flower' } });
    const { route } = await this.#api.call(getEndpoint, { params });
    const isServed = route?.arms.length === 1 && route.arms[0]?.version === version.version;
    if (isServed && route !== null) return route;
    return this.#api.call(deploy, { params, body: { version: version.version, reason } });
  }

  async rollback(reason: string): Promise<RouteRevision> {
    return this.#api.call(rollback, { params: { endpoint: ENDPOINT }, body: { reason } });
  }

  /** One request a flower, several at once; `onAnswer` sees each as it comes. */
  async ask(
    flowers: readonly Flower[],
    onAnswer: (answer: Answer) => void = () => undefined,
  ): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    const waiting = [...flowers];
    const worker = async (): Promise<void> => {
      for (let flower = waiting.shift(); flower !== undefined; flower = waiting.shift()) {
        const answer = await this.#infer(flower);
        answers.push(answer);
        onAnswer(answer);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return answers;
  }

  async label(answers: readonly Answer[]): Promise<void> {
    const labels = answers.map(({ requestId, species }) => ({
      endpoint: ENDPOINT,
      requestId,
      value: species,
    }));
    await this.#api.call(postLabels, { body: { labels } });
  }

  async trace(requestId: string): Promise<Trace> {
    return this.#api.call(traceRequest, { params: { requestId } });
  }

  async #knownVersions(): Promise<readonly ModelVersion[]> {
    try {
      const page = await this.#api.call(listVersions, { params: { model: MODEL }, query: {} });
      return page.items;
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'MODEL_NOT_FOUND') return [];
      throw thrown;
    }
  }

  async #infer(flower: Flower): Promise<Answer> {
    const response = await fetch(`${this.#url}/v2/models/${ENDPOINT}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        parameters: { flower: flower.flower },
        inputs: [
          { name: 'measurements', shape: [1, 4], datatype: 'FP32', data: flower.measurements },
        ],
      }),
    });
    const text = await response.text();
    if (!response.ok) throw new AppError('INTERNAL', `The endpoint answered ${text}`);
    const body = JSON.parse(text) as {
      readonly model_version: string;
      readonly outputs: readonly { readonly data: readonly number[] }[];
    };
    return {
      requestId: present(response.headers.get('x-request-id'), 'the request id'),
      flower: flower.flower,
      version: Number(body.model_version),
      label: present(body.outputs[0]?.data[0], 'the label'),
      species: flower.species,
    };
  }
}
