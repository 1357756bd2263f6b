import { decodeCursor, encodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, micros, type Clock, type Micros } from '../../base/time.ts';
import type { Facts } from '../../platform/capability.ts';
import type { Events, StoredEvent } from '../../platform/events/port.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Timers } from '../../platform/timers/port.ts';
import { assess, type Assessment } from './assess.ts';
import {
  EVIDENCE_DAYS,
  type Maturity,
  type MaturityChange,
  type MaturityDetail,
} from './contract.ts';
import { FactBook } from './facts.ts';
import { productionOf, type Production } from './production.ts';
import type { MaturityStore, NewChange, Reviewed } from './store.ts';

/** An endpoint and the model it serves. */
export interface ServedModel {
  readonly endpoint: string;
  readonly model: string;
}

export interface MaturityDeps {
  readonly store: MaturityStore;
  /** Of every capability that has recorded something. */
  readonly facts: readonly Facts[];
  readonly endpoints: {
    /** Null for one that is not there. */
    find(name: string): Promise<ServedModel | null>;
    /** By name, those after `after`. */
    list(page: {
      readonly after: string | null;
      readonly limit: number;
    }): Promise<readonly ServedModel[]>;
  };
  readonly clock: Clock;
  readonly timers: Pick<Timers, 'schedule' | 'handle'>;
  readonly events: Pick<Events, 'consume'>;
  readonly log: Log;
}

const DAY_MICROS = 86_400_000_000;
/** How far back facts are read: far enough to say when expired evidence was last seen. */
const READ_DAYS = 4 * EVIDENCE_DAYS;

const TIMER = { handler: 'maturity.review', subject: 'maturity' } as const;
/** Without anything happening, only expiry changes a level. */
const REVIEW_MICROS = 7 * DAY_MICROS;
/** Endpoints that are reviewed by themselves; the level of any other is computed when asked for. */
const REVIEWED_MAX = 100;
/** Kinds of events after which checks may come out otherwise. */
const TELLING = ['route.', 'pipeline.finished', 'workspace.applied'];
/** Decisions of a loop that end something; the steps between them tell nothing new. */
const TELLING_DECISIONS = [
  'suppressed',
  'rejected',
  'failed',
  'superseded',
  'promoted',
  'rolled_back',
];

/** The levels of models in production use, computed from what others recorded. */
export class MaturityService {
  readonly #deps: MaturityDeps;
  /** One review at a time: each compares with the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: MaturityDeps) {
    this.#deps = deps;
  }

  /** Reviews from now on when something happens, and when time passes. */
  async start(): Promise<void> {
    const { timers, events } = this.#deps;
    timers.handle(TIMER.handler, async ({ due }) => {
      await this.#reviewAll();
      return [timers.schedule(reviewAfter(due))];
    });
    await events.consume('maturity', (event) => this.#heard(event), { from: 'next' });
  }

  /** Rejects with `ENDPOINT_NOT_FOUND`, and `ENDPOINT_NOT_READY` while nothing is deployed. */
  async get(endpoint: string): Promise<MaturityDetail> {
    const served = await this.#deps.endpoints.find(endpoint);
    if (served === null) {
      throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${endpoint}.`, {
        hint: 'See them with: millwright endpoints ls',
      });
    }
    const found = await this.#review(served);
    if (found !== null) return found;
    throw new AppError('ENDPOINT_NOT_READY', `Nothing is deployed on ${endpoint} yet.`, {
      hint: `A level is of a version that answers: millwright deploy ${endpoint}@VERSION`,
    });
  }

  /** Endpoints on which something is deployed, by name. */
  async list(query: PageQuery): Promise<Page<Maturity>> {
    const after = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.endpoints.list({ after, limit: query.limit + 1 });
    const items: Maturity[] = [];
    for (const served of found.slice(0, query.limit)) {
      const detail = await this.#review(served);
      if (detail === null) continue;
      const { checks: _, ...summary } = detail;
      items.push(summary);
    }
    const last = found[query.limit - 1];
    const hasMore = found.length > query.limit && last !== undefined;
    return { items, nextCursor: hasMore ? encodeCursor(last.endpoint) : null };
  }

  async history(
    endpoint: string,
    query: PageQuery & { readonly subject?: string | undefined },
  ): Promise<Page<MaturityChange>> {
    const { store, endpoints } = this.#deps;
    if ((await endpoints.find(endpoint)) === null) await this.get(endpoint);
    const found = await store.changes(endpoint, {
      before: decodeCursor(query.cursor, 'number'),
      subject: query.subject ?? null,
      limit: query.limit + 1,
    });
    return nextPage(found, query.limit, ({ id }) => id);
  }

  async #heard(event: StoredEvent): Promise<void> {
    if (!isTelling(event)) return;
    const { subject } = event;
    const named = subject.startsWith('endpoint/') ? subject.slice('endpoint/'.length) : null;
    if (named === null) return this.#reviewAll();
    const served = await this.#deps.endpoints.find(named);
    if (served !== null) await this.#tryReview(served);
  }

  async #reviewAll(): Promise<void> {
    const { endpoints } = this.#deps;
    const all = await endpoints.list({ after: null, limit: REVIEWED_MAX });
    for (const served of all) await this.#tryReview(served);
  }

  /** What cannot be reviewed now must not hold up the clock: the next review sees it. */
  async #tryReview(served: ServedModel): Promise<void> {
    try {
      await this.#review(served);
    } catch (thrown) {
      const { endpoint } = served;
      this.#deps.log.warn('maturity.review.failed', { endpoint, error: String(thrown) });
    }
  }

  async #review(served: ServedModel): Promise<MaturityDetail | null> {
    const mine = this.#turn.then(() => this.#reviewNow(served));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #reviewNow(served: ServedModel): Promise<MaturityDetail | null> {
    const { store, facts, clock, timers } = this.#deps;
    const now = clock.now();
    const question = { ...served, now, since: micros(now - READ_DAYS * DAY_MICROS) };
    const told = await Promise.all(facts.map((one) => one.factsOf(question)));
    const book = new FactBook(told.flat(), { now, evidenceDays: EVIDENCE_DAYS });
    const production = productionOf(book, served);
    if (production === null) return null;
    const assessment = assess(production);
    const former = await store.find(served.endpoint);
    const states = Object.fromEntries(assessment.checks.map(({ id, state }) => [id, state]));
    const reviewed = { endpoint: served.endpoint, level: assessment.level, states, at: now };
    const wall = clock.wall();
    const changes = changesSince(former, production, assessment, { at: now, wall });
    // Time begins to matter with the first review; from then on the timer repeats itself.
    const timer = former === null ? [timers.schedule(reviewAfter(now))] : [];
    await store.put(reviewed, changes, timer);
    return {
      ...served,
      version: production.version,
      at: formatInstant(now),
      level: assessment.level,
      isSeen: assessment.isSeen,
      levels: [...assessment.levels],
      next: assessment.next,
      checks: [...assessment.checks],
    };
  }
}

function isTelling({ kind, data }: StoredEvent): boolean {
  if (kind === 'loop.decided') return TELLING_DECISIONS.includes(String(data['decision']));
  return TELLING.some((start) => kind.startsWith(start));
}

/** The same instants whenever the process was started. */
function reviewAfter(now: Micros) {
  const due = micros((Math.floor(now / REVIEW_MICROS) + 1) * REVIEW_MICROS);
  return { ...TIMER, clock: 'now' as const, due, payload: {} };
}

function changesSince(
  former: Reviewed | null,
  { endpoint, model, version }: Production,
  { level, checks, next }: Assessment,
  times: { readonly at: Micros; readonly wall: Micros },
): readonly NewChange[] {
  const of = { endpoint, model, version, ...times };
  const changed = checks
    .filter(({ id, state }) => former?.states[id] !== state)
    .map(({ id, state, why, evidence }) => ({
      ...of,
      subject: id,
      former: former?.states[id] ?? null,
      state,
      why,
      evidence,
    }));
  if (former?.level === level) return changed;
  const why = next === null ? 'Every required check holds.' : `${next.id}: ${next.why}`;
  const before = former === null ? null : String(former.level);
  const step = { ...of, subject: 'level', former: before, state: String(level), why, evidence: [] };
  return [...changed, step];
}
