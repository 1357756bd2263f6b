import { AppError } from '../../base/errors.ts';
import {
  formatInstant,
  micros,
  MICROS_PER_SECOND,
  parseInstant,
  type Clock,
  type Micros,
} from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { CompiledService } from './compiled.ts';
import type { OnlineFeatures } from './online-features.ts';
import type { FeatureInputs } from './online-key.ts';
import type { OnlineIngest } from './online-ingest.ts';
import type { FeatureVectorReply, FeatureWatermark, VerifyReport } from './online-contract.ts';
import type { OnlineFeaturesTasks } from './online-tasks.ts';

/** What the online half asks of the definitions. */
export interface OnlineDefinitions {
  /** The newest definition of a service; rejects with `INVALID_INPUT` for an unknown one. */
  service(name: string): Promise<CompiledService>;
  /** Every definition of a service that is kept, the newest among them. */
  definitionsOf(name: string): Promise<readonly CompiledService[]>;
}

export interface OnlineServiceDeps {
  readonly engine: Engine<OnlineFeaturesTasks>;
  readonly features: OnlineFeatures;
  readonly ingest: OnlineIngest;
  readonly definitions: OnlineDefinitions;
  readonly clock: Clock;
}

const VERIFY_TIMEOUT_MS = 600_000;

/** Features read online: values now or as of a time, how far they are, whether they are right. */
export class OnlineFeaturesService {
  readonly #deps: OnlineServiceDeps;

  constructor(deps: OnlineServiceDeps) {
    this.#deps = deps;
  }

  /**
   * The vector at a time that is not in the future. `FEATURES_NOT_READY` when the online store does
   * not reach back so far: a training set computes any time from the tables.
   */
  async get(request: {
    readonly service: string;
    readonly inputs: FeatureInputs;
    readonly at?: string | undefined;
  }): Promise<FeatureVectorReply> {
    const { features, definitions, clock } = this.#deps;
    const compiled = await definitions.service(request.service);
    const inputs = parsedInputs(compiled, request.inputs);
    const now = clock.now();
    const at = request.at === undefined ? now : instant(request.at);
    if (at > now) {
      throw new AppError('INVALID_INPUT', `${formatInstant(at)} lies in the future.`, {
        hint: `It is ${formatInstant(now)}; ask for a time until then.`,
      });
    }
    const online = features.resolve(compiled);
    const { values, watermarks } = online.read(inputs, at);
    const newest = online.newest(inputs, at);
    return {
      service: compiled.name,
      definition: compiled.hash,
      at: formatInstant(at),
      features: online.features.map((name, index) => ({
        name,
        value: values[index]!,
        ageSeconds: newest[index] === null ? null : (at - newest[index]!) / MICROS_PER_SECOND,
      })),
      watermarks: { ...watermarks },
    };
  }

  async watermarks(
    query: { readonly wait?: string | undefined; readonly waitMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly items: FeatureWatermark[]; readonly reached: boolean }> {
    const { ingest } = this.#deps;
    const { wait, waitMs } = query;
    let reached = true;
    if (wait !== undefined) {
      const [table, version] = wait.split('@') as [string, string];
      const want = { table, version: Number(version) };
      reached = await ingest.reaches(want, { ms: waitMs, signal });
    }
    return { items: [...ingest.watermarks()], reached };
  }

  async rebuild(): Promise<{ readonly views: number }> {
    return await this.#deps.ingest.rebuild();
  }

  /** Recomputes logged vectors from the tables; all of them unless a range is given. */
  async verify(
    request: {
      readonly service: string;
      readonly from?: string | undefined;
      readonly until?: string | undefined;
      readonly lastSeconds?: number | undefined;
      readonly endpoint?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<VerifyReport> {
    const { engine, definitions, clock } = this.#deps;
    const { service, endpoint } = request;
    if (request.from !== undefined && request.lastSeconds !== undefined) {
      throw new AppError('INVALID_INPUT', 'A range has from or lastSeconds, not both.');
    }
    const compiled = await definitions.service(service);
    const kept = await definitions.definitionsOf(service);
    // An answer of this very moment is asked for, too.
    const until = request.until === undefined ? clock.now() + 1 : instant(request.until);
    const last = (request.lastSeconds ?? Infinity) * MICROS_PER_SECOND;
    const from = request.from === undefined ? Math.max(0, until - last) : instant(request.from);
    return await engine.run(
      'features.verify',
      {
        definitions: [compiled, ...kept.filter(({ hash }) => hash !== compiled.hash)],
        from: micros(from),
        until: micros(until),
        ...(endpoint === undefined ? {} : { endpoint }),
      },
      { timeoutMs: VERIFY_TIMEOUT_MS, signal },
    );
  }
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant that was checked');
}

/** Every input once and none besides: a misspelt one would silently be a missing one. */
function parsedInputs({ name, inputs }: CompiledService, given: FeatureInputs): FeatureInputs {
  const hint = `It takes ${inputs.map((input) => `${input.name} (${input.type})`).join(', ')}.`;
  for (const key of Object.keys(given)) {
    if (inputs.some((input) => input.name === key)) continue;
    throw new AppError('INVALID_INPUT', `The service ${name} has no input ${key}.`, { hint });
  }
  const parsed: Record<string, string | number | boolean | null> = {};
  for (const input of inputs) {
    const value = given[input.name] ?? null;
    if (value === null && input.role === 'key' && given[input.name] === undefined) {
      throw new AppError('INVALID_INPUT', `The key ${input.name} is missing.`, { hint });
    }
    const typed = value === null ? null : typedInput(value, input.type);
    if (typed === undefined) {
      throw new AppError('INVALID_INPUT', `The input ${input.name} must be a ${input.type}.`, {
        hint,
      });
    }
    parsed[input.name] = typed;
  }
  return parsed;
}

/** The value in its type, also from text; undefined when it has another. */
function typedInput(
  value: string | number | boolean,
  type: CompiledService['inputs'][number]['type'],
): string | number | boolean | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'boolean':
      if (value === 'true' || value === 'false') return value === 'true';
      return typeof value === 'boolean' ? value : undefined;
    case 'long':
    case 'double': {
      const isText = typeof value === 'string' && value.trim() !== '';
      const number = isText ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
      return type === 'double' || Number.isSafeInteger(number) ? number : undefined;
    }
  }
}
