import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { formatInstant, micros, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { ColumnHistory, QualityHistory } from './contract.ts';
import { HISTORY_DAYS_MAX } from './history-contract.ts';
import type { HistoryTasks } from './history-tasks.ts';
import { DAY_MICROS, spanDays, spanMicros, type Period } from './periods.ts';
import type { LoggedUntil, VersionSources } from './ports.ts';
import { SCORE } from './profile.ts';
import type { MonitoringStore } from './store.ts';

export interface MonitorHistoryDeps {
  readonly store: MonitoringStore;
  readonly engine: Engine<HistoryTasks>;
  readonly versions: VersionSources;
  readonly log: Pick<LoggedUntil, 'labelOf'>;
  readonly clock: Pick<Clock, 'now'>;
}

interface RangeAsked {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** Days looked back over unless somebody asks for more. */
const DAYS = 92;
/** Days that were answered long ago are one file each. */
const TIMEOUT_MS = 60_000;
const options = { timeoutMs: TIMEOUT_MS };

/** What a monitor saw day by day. */
export class MonitorHistory {
  readonly #deps: MonitorHistoryDeps;

  constructor(deps: MonitorHistoryDeps) {
    this.#deps = deps;
  }

  async quality(name: string, range: RangeAsked): Promise<QualityHistory> {
    const { store, engine, log } = this.#deps;
    const { spec } = await store.require(name);
    const period = await this.#period(name, range);
    const label = await log.labelOf(name);
    const every = spanMicros(spec.every);
    const asked = { endpoint: name, ...period, spec: spec.quality, every };
    const found = await engine.run('monitoring.quality-days', asked, options);
    const { metric, window, drop, coverage } = spec.quality;
    const { matureUntil } = found;
    return {
      monitor: name,
      metric,
      windowDays: spanDays(window),
      drop,
      coverage,
      label: label?.name ?? null,
      matureUntil: matureUntil === null ? null : formatInstant(matureUntil),
      ...texts(period),
      days: found.days.map((day) => ({ ...day, ...texts(day) })),
    };
  }

  /** Rejects with `INVALID_INPUT` for a column that the version was not trained on. */
  async column(
    name: string,
    asked: RangeAsked & { readonly column: string; readonly version?: number | undefined },
  ): Promise<ColumnHistory> {
    const { store, engine, versions } = this.#deps;
    const { spec } = await store.require(name);
    const period = await this.#period(name, asked);
    const { model, version } = await this.#version(name, asked.version);
    const facts = await versions.factsOf(model, version);
    if (facts === null) throw noProfile(model, version);
    const every = spanMicros(spec.every);
    const { column } = asked;
    const input = { endpoint: name, ...period, facts, column, every };
    const found = await engine.run('monitoring.column-days', input, options);
    if (found.kind === 'no_profile') throw noProfile(model, version);
    if (found.kind === 'no_column') throw noColumn(column, version, found.columns);
    const { reference } = found;
    return {
      monitor: name,
      column,
      model,
      version,
      bins: [...found.bins],
      reference: {
        ...reference,
        ...texts(reference),
        shares: [...reference.shares],
        least: [...reference.least],
        greatest: [...reference.greatest],
      },
      effect: spec.drift.effect,
      days: found.days.map((day) => ({ ...day, ...texts(day), shares: [...day.shares] })),
      found: await this.#found(name, { ...period, column, version }),
    };
  }

  /** What evaluations found of the column, oldest first. */
  async #found(
    name: string,
    of: Period & { readonly column: string; readonly version: number },
  ): Promise<ColumnHistory['found']> {
    const { from, until, column, version } = of;
    const kind = column === SCORE ? 'score_drift' : 'drift';
    // An evaluation is of what was before it.
    const page = { from, until: micros(until + 1), kind, limit: EVALUATIONS_MAX } as const;
    const evaluations = await this.#deps.store.evaluations(name, page);
    return evaluations
      .flatMap(({ id, at, checks }) =>
        checks
          .filter((check) => check.subject === column && check.version === version)
          .map(({ state, isBreach, value, reference }) => ({
            evaluation: id,
            at: formatInstant(at),
            state,
            isBreach,
            distance: value,
            floor: reference,
          })),
      )
      .toReversed();
  }

  async #version(
    name: string,
    asked: number | undefined,
  ): Promise<{ readonly model: string; readonly version: number }> {
    const all = { from: null, until: null, kind: null, limit: EVALUATIONS_MAX };
    for (const { versions } of await this.#deps.store.evaluations(name, all)) {
      const own = versions
        .filter(({ version }) => asked === undefined || version === asked)
        .toSorted((a, b) => b.requests - a.requests);
      if (own[0] !== undefined) return own[0];
    }
    const who = asked === undefined ? 'Nothing' : `Version ${asked}`;
    throw new AppError('INVALID_INPUT', `${who} has answered ${name} at no evaluation yet.`, {
      hint: `See which versions were looked at with: millwright monitors show ${name}`,
    });
  }

  async #period(name: string, { from, until }: RangeAsked): Promise<Period> {
    const end = until === undefined ? await this.#newest(name) : instant(until);
    const start = from === undefined ? micros(end - DAYS * DAY_MICROS) : instant(from);
    const whole = { from: dayOf(start), until: micros(dayOf(end - 1) + DAY_MICROS) };
    return assertSpan(whole);
  }

  async #newest(name: string): Promise<Micros> {
    const all = { from: null, until: null, kind: null, limit: 1 };
    const [newest] = await this.#deps.store.evaluations(name, all);
    return newest?.at ?? this.#deps.clock.now();
  }
}

/** Evaluations of a long history. */
const EVALUATIONS_MAX = 1000;

function dayOf(at: number): Micros {
  return micros(Math.floor(at / DAY_MICROS) * DAY_MICROS);
}

function texts({ from, until }: Period): { readonly from: string; readonly until: string } {
  return { from: formatInstant(from), until: formatInstant(until) };
}

function instant(text: string): Micros {
  const parsed = parseInstant(text);
  if (parsed !== null) return parsed;
  throw new AppError('INVALID_INPUT', `${text} is no instant.`);
}

function assertSpan(period: Period): Period {
  const days = (period.until - period.from) / DAY_MICROS;
  if (days > 0 && days <= HISTORY_DAYS_MAX) return period;
  throw new AppError('INVALID_INPUT', 'from and until are not a time of some days.', {
    hint: `until comes after from, at most ${HISTORY_DAYS_MAX} days later.`,
  });
}

function noProfile(model: string, version: number): AppError {
  return new AppError(
    'INVALID_INPUT',
    `Nothing is known of what ${model}@${version} was trained on.`,
    {
      hint: 'A version is compared with its training rows once a run that pins them has made it and a monitor has looked at it.',
    },
  );
}

function noColumn(column: string, version: number, columns: readonly string[]): AppError {
  const near = nearestName(column, columns);
  const hint = near === null ? `It has ${columns.length} columns.` : `Did you mean ${near}?`;
  return new AppError('INVALID_INPUT', `Version ${version} was trained on no column ${column}.`, {
    hint,
  });
}
