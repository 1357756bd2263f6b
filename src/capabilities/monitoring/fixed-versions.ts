import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, type Micros } from '../../base/time.ts';
import type { CompareServiceDeps } from './compare-service.ts';
import type { FixedHistory } from './fixed-contract.ts';
import { HISTORY_DAYS_MAX } from './history-contract.ts';
import { DAY_MICROS, spanDays } from './periods.ts';

/** Some days of requests are read and scored. */
const TIMEOUT_MS = 10 * 60_000;
/** Days looked back over unless somebody asks for more. */
const DAYS = 92;

/** What quality would have been had one version stayed. */
export class FixedVersions {
  readonly #deps: CompareServiceDeps;

  constructor(deps: CompareServiceDeps) {
    this.#deps = deps;
  }

  /** Scores some of the days that nobody has asked about yet; `waiting` says how many are left. */
  async history(asked: {
    readonly monitor: string;
    readonly version: number;
    readonly from?: Micros | undefined;
    readonly until?: Micros | undefined;
  }): Promise<FixedHistory> {
    const { parts, engine, clock } = this.#deps;
    const { monitor, version } = asked;
    const at = clock.now();
    const spec = await parts.quality(monitor);
    const { model, matureMicros } = await parts.endpoint(monitor);
    const { digest, modelFile, layout } = await parts.version(model, version);
    const until = dayOf((asked.until ?? at) + DAY_MICROS - 1);
    const from = asked.from === undefined ? micros(until - DAYS * DAY_MICROS) : dayOf(asked.from);
    assertDays((until - from) / DAY_MICROS);
    const { metric } = spec;
    const told = {
      monitor,
      model,
      version,
      metric,
      windowDays: spanDays(spec.window),
      from: formatInstant(from),
      until: formatInstant(until),
    };
    if (matureMicros === null) return { ...told, ...NOTHING };
    await parts.catchUp(at);
    const input = {
      endpoint: monitor,
      version,
      digest,
      modelFile,
      layout,
      matureMicros,
      at,
      spec,
      from,
      until,
    };
    const found = await engine.run('monitoring.fixed-days', input, { timeoutMs: TIMEOUT_MS });
    return {
      ...told,
      ...found,
      // What is told of all days holds only once they all are scored.
      whole: found.waiting === 0 ? found.whole : null,
      matureUntil: formatInstant(found.matureUntil),
      days: found.days.map((day) => ({
        ...day,
        from: formatInstant(day.from),
        until: formatInstant(day.until),
        matureAt: formatInstant(micros(day.until + matureMicros)),
      })),
    };
  }
}

/** Without a declared label nothing is known of any answer. */
const NOTHING = {
  matureUntil: null,
  waiting: 0,
  leftOut: { unlabelled: 0, otherDefinition: 0, unscored: 0 },
  whole: null,
  days: [],
};

function dayOf(at: number): Micros {
  return micros(Math.floor(at / DAY_MICROS) * DAY_MICROS);
}

function assertDays(days: number): void {
  if (days > 0 && days <= HISTORY_DAYS_MAX) return;
  throw new AppError('INVALID_INPUT', 'from and until are not a time of some days.', {
    hint: `until comes after from, at most ${HISTORY_DAYS_MAX} days later.`,
  });
}
