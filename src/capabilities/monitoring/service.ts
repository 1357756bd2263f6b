import { decodeCursor, encodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, micros, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Timers } from '../../platform/timers/port.ts';
import { alertEvents, MONITOR_ACTOR } from './alerts.ts';
import type { Check, CheckKind, Evaluation, Monitor, MonitorDetail } from './contract.ts';
import type { EvaluateInput } from './evaluate.ts';
import { gravest, withHistory } from './judge-persistence.ts';
import { MonitorHistory } from './monitor-history.ts';
import { lastBoundary, nextDue, spanMicros } from './periods.ts';
import type { LoggedUntil, VersionSources } from './ports.ts';
import {
  toReply,
  type MonitoringStore,
  type StoredEvaluation,
  type StoredMonitor,
} from './store.ts';
import type { MonitoringTasks } from './tasks.ts';

export interface MonitoringDeps {
  readonly store: MonitoringStore;
  readonly engine: Engine<MonitoringTasks>;
  readonly timers: Pick<Timers, 'schedule' | 'cancel' | 'handle'>;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly versions: VersionSources;
  readonly log: LoggedUntil;
}

/** The timers of monitors, each of subject `monitor/<name>`. */
const TIMER = 'monitoring.run';
/** A first evaluation reads weeks of requests and a training set. */
const EVALUATE_TIMEOUT_MS = 30 * 60_000;
/** Evaluations that a server which was down for long makes up for; older ones nobody waits for. */
const MISSED_MAX = 30;
/** Monitors whose newest findings are kept in memory for the metrics. */
const MONITORS_MAX = 1000;

/** Evaluates endpoints as they are declared to be, when it is time, and tells what was found. */
export class MonitoringService {
  /** What it saw day by day. */
  readonly history: MonitorHistory;
  readonly #deps: MonitoringDeps;
  readonly #latest = new Map<string, StoredEvaluation>();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: MonitoringDeps) {
    this.#deps = deps;
    this.history = new MonitorHistory(deps);
  }

  /** Follows the domain clock from now on. */
  async start(): Promise<void> {
    const { timers, store } = this.#deps;
    timers.handle(
      TIMER,
      async ({ payload, due }) => await this.#fire(String(payload['monitor']), due),
    );
    for (const { name } of await store.monitors({ after: null, limit: MONITORS_MAX })) {
      const newest = await this.#newest(name);
      const whole = newest === null ? null : await store.evaluation(name, newest.id);
      if (whole !== null) this.#latest.set(name, whole);
    }
  }

  /** Steps that put a monitor in force, its timer included. */
  put(monitor: StoredMonitor): readonly Step[] {
    const { store, timers, clock } = this.#deps;
    const { name, spec } = monitor;
    const due = nextDue(clock.now(), spanMicros(spec.every));
    const timer = spec.auto
      ? timers.schedule(timerOf(name, due))
      : timers.cancel({ handler: TIMER, subject: `monitor/${name}` });
    return [store.put(monitor), timer];
  }

  /** Steps that take one out of force; what it found is kept. */
  remove(name: string): readonly Step[] {
    const { store, timers } = this.#deps;
    this.#latest.delete(name);
    return [store.remove(name), timers.cancel({ handler: TIMER, subject: `monitor/${name}` })];
  }

  async list(query: PageQuery): Promise<Page<Monitor>> {
    const { store } = this.#deps;
    const after = decodeCursor(query.cursor, 'string');
    const found = await store.monitors({ after, limit: query.limit + 1 });
    const items = await Promise.all(found.map((monitor) => this.#view(monitor)));
    return nextPage(items, query.limit, (last) => last.name);
  }

  async get(name: string): Promise<MonitorDetail> {
    const { store } = this.#deps;
    const monitor = await this.#view(await store.require(name));
    const references = (await store.references(name)).map(({ reference }) => reference);
    const latest = monitor.latest === null ? null : await this.evaluation(name, monitor.latest.id);
    return { ...monitor, latest, references };
  }

  async evaluations(
    name: string,
    query: PageQuery & {
      readonly from?: string | undefined;
      readonly until?: string | undefined;
      readonly kind?: CheckKind | undefined;
    },
  ): Promise<Page<Evaluation>> {
    const { store } = this.#deps;
    await store.require(name);
    const before = decodeCursor(query.cursor, 'number');
    const until = query.until === undefined ? null : parseInstant(query.until);
    const end = Math.min(before ?? Infinity, until ?? Infinity);
    const found = await store.evaluations(name, {
      from: query.from === undefined ? null : parseInstant(query.from),
      until: end === Infinity ? null : micros(end),
      kind: query.kind ?? null,
      limit: query.limit + 1,
    });
    const shown = found.slice(0, query.limit);
    const last = shown.at(-1);
    const hasMore = found.length > query.limit && last !== undefined;
    return {
      items: shown.map(toReply),
      nextCursor: hasMore ? encodeCursor(last.at) : null,
    };
  }

  /** Rejects with `EVALUATION_NOT_FOUND`. */
  async evaluation(name: string, id: string): Promise<Evaluation> {
    const found = await this.#deps.store.evaluation(name, id);
    if (found !== null) return toReply(found);
    throw new AppError('EVALUATION_NOT_FOUND', `Monitor ${name} has no evaluation ${id}.`, {
      hint: `See: millwright monitors history ${name}`,
    });
  }

  /**
   * Evaluates as of the end of the last whole period before `at`; one that was made then already is
   * answered as it is. Evaluations go forward in time: what lasts is judged by those before.
   */
  async run(name: string, at: string | undefined): Promise<Evaluation> {
    const { store, clock } = this.#deps;
    const monitor = await store.require(name);
    const asked = at === undefined ? clock.now() : parseInstant(at);
    if (asked === null || asked > clock.now()) {
      throw new AppError('INVALID_INPUT', `${at} has not come yet.`, {
        hint: `It is ${formatInstant(clock.now())}.`,
      });
    }
    const boundary = lastBoundary(asked, spanMicros(monitor.spec.every));
    const newest = await this.#newest(name);
    if (newest !== null && newest.at > boundary) {
      const known = await store.evaluationAt(name, boundary);
      if (known !== null) return toReply(known);
      throw new AppError(
        'INVALID_INPUT',
        `Monitor ${name} was evaluated as of ${formatInstant(newest.at)}, which is later.`,
        {
          hint: 'Evaluations go forward in time; look at former ones with: millwright monitors history',
        },
      );
    }
    return toReply(await this.evaluate(monitor, boundary));
  }

  /** The newest evaluation of each monitor, for the metrics. */
  newest(): readonly StoredEvaluation[] {
    return [...this.#latest.values()];
  }

  /** One evaluation of a monitor at a time: a person may ask for the one that is under way. */
  async evaluate(monitor: StoredMonitor, at: Micros): Promise<StoredEvaluation> {
    const before = this.#turns.get(monitor.name) ?? Promise.resolve();
    const mine = before.then(() => this.#evaluate(monitor, at));
    this.#turns.set(
      monitor.name,
      mine.catch(() => undefined),
    );
    return await mine;
  }

  async #evaluate(monitor: StoredMonitor, at: Micros): Promise<StoredEvaluation> {
    const { store, engine, clock, events, ids } = this.#deps;
    const { name, spec } = monitor;
    const known = await store.evaluationAt(name, at);
    if (known !== null) return known;
    const began = clock.elapsed();
    await this.#deps.log.catchUp(at);
    const input = await this.#input(monitor, at);
    const options = { timeoutMs: EVALUATE_TIMEOUT_MS };
    const outcome = await engine.run('monitoring.evaluate', input, options);
    const former = await this.#former(name, at, spec.persist.of);
    const checks = withHistory(outcome.checks, { at, persist: spec.persist, former });
    const evaluation: StoredEvaluation = {
      id: ids.next('eval'),
      monitor: name,
      at,
      versions: [...outcome.versions],
      checks: [...checks],
      state: gravest(checks),
      seconds: (clock.elapsed() - began) / 1000,
    };
    const told = [...this.#alerts(evaluation, former[0] ?? []), evaluated(evaluation)];
    const measure = `${spec.quality.metric} over ${spec.quality.window}`;
    await store.write([
      store.insertEvaluation(evaluation, clock.wall()),
      ...outcome.references.map((reference) => store.putReference(name, { measure, reference })),
      ...told.map((event) => events.step(event)),
    ]);
    this.#latest.set(name, evaluation);
    return evaluation;
  }

  async #fire(name: string, due: Micros): Promise<readonly Step[]> {
    const { store, timers, clock } = this.#deps;
    const monitor = await store.find(name);
    if (monitor === null || !monitor.spec.auto) return [];
    const every = spanMicros(monitor.spec.every);
    await this.evaluate(monitor, due);
    const next = nextDue(due, every);
    const earliest = nextDue(micros(clock.now() - MISSED_MAX * every), every);
    return [timers.schedule(timerOf(name, micros(Math.max(next, earliest))))];
  }

  async #input({ name, spec }: StoredMonitor, at: Micros): Promise<EvaluateInput> {
    const { engine, versions, log } = this.#deps;
    const from = micros(at - Math.max(spanMicros(spec.drift.window), spanMicros(spec.every)));
    const period = { endpoint: name, from, until: at };
    const answered = await engine.run('monitoring.answered', period);
    const facts = new Map<string, EvaluateInput['versions'][number]>();
    const layouts = new Map<string, EvaluateInput['layouts'][number]>();
    for (const { model, version, definition } of answered) {
      const key = `${model}@${version}`;
      if (!facts.has(key)) {
        const found = await versions.factsOf(model, version);
        const unknown = { version, digest: '', modelFile: null, training: null };
        facts.set(key, { model, ...(found ?? unknown) });
      }
      if (definition === null || layouts.has(definition)) continue;
      const layout = await versions.layoutOf(definition);
      if (layout !== null) layouts.set(definition, layout);
    }
    const label = await log.labelOf(name);
    return {
      endpoint: name,
      at,
      spec,
      label,
      versions: [...facts.values()],
      layouts: [...layouts.values()],
    };
  }

  /** Checks that were not ok of the evaluations before, the newest first. */
  async #former(name: string, at: Micros, limit: number): Promise<readonly (readonly Check[])[]> {
    const range = { from: null, until: at, kind: null, limit };
    const found = await this.#deps.store.evaluations(name, range);
    return found.map(({ checks }) => checks);
  }

  #alerts(evaluation: StoredEvaluation, former: readonly Check[]) {
    const { id, monitor, checks, at } = evaluation;
    return alertEvents({ monitor, evaluation: id, at: formatInstant(at), checks, former });
  }

  async #newest(name: string): Promise<StoredEvaluation | null> {
    const all = { from: null, until: null, kind: null, limit: 1 };
    return (await this.#deps.store.evaluations(name, all))[0] ?? null;
  }

  async #view(monitor: StoredMonitor): Promise<Monitor> {
    const { name, spec, appliedAt, appliedBy } = monitor;
    const newest = await this.#newest(name);
    const next = nextDue(this.#deps.clock.now(), spanMicros(spec.every));
    return {
      name,
      spec,
      appliedAt: formatInstant(appliedAt),
      appliedBy,
      next: spec.auto ? formatInstant(next) : null,
      latest: newest === null ? null : toReply(newest),
    };
  }
}

function timerOf(name: string, due: Micros) {
  const subject = `monitor/${name}`;
  return { handler: TIMER, subject, clock: 'now' as const, due, payload: { monitor: name } };
}

/** What others act on: everything that is not fine, and what has just ended. */
function evaluated({ id, monitor, at, state, checks, versions }: StoredEvaluation) {
  const findings = checks
    .filter((check) => check.state !== 'ok' || check.until !== null)
    .map(({ kind, subject, version, state: found, since, until }) => ({
      kind,
      subject,
      version,
      state: found,
      since,
      until,
    }));
  return {
    actor: MONITOR_ACTOR,
    kind: 'monitor.evaluated',
    subject: `monitor/${monitor}`,
    data: {
      evaluation: id,
      at: formatInstant(at),
      state,
      versions: versions.map(({ model, version }) => `${model}@${version}`),
      findings,
    },
  };
}
