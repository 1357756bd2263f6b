import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import type { DomainClock } from '../../platform/domain-clock.ts';
import type { Dialect } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Timers } from '../../platform/timers/port.ts';
import type { Event, Health, Status } from './contract.ts';
import type { WorkspaceStore } from './store.ts';

/** What the process knows of itself, asked at the moment of a request. */
export interface ProcessFacts {
  readonly name: string;
  readonly version: string;
  readonly startedAt: Micros;
  readonly stateFolder: string;
  readonly database: Dialect;
  readonly pid: number;
  readonly residentBytes: () => number;
  readonly engine: () => Status['engine'];
  /** Each part that can be down on its own. */
  readonly components: () => Promise<readonly Health['components'][number][]>;
}

export interface WorkspaceDeps {
  readonly store: WorkspaceStore;
  readonly clock: DomainClock;
  readonly events: Events;
  readonly timers: Timers;
  readonly facts: ProcessFacts;
}

/** The workspace itself: its clocks, its processes, and what happened in it. */
export class WorkspaceService {
  readonly #deps: WorkspaceDeps;
  /** Advances run one after the other: one that overtook another would write its time back. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: WorkspaceDeps) {
    this.#deps = deps;
  }

  async health(): Promise<Health> {
    const { facts } = this.#deps;
    const components = [...(await facts.components())];
    const isWell = components.every(({ status }) => status === 'ok');
    return { status: isWell ? 'ok' : 'degraded', version: facts.version, components };
  }

  status(): Status {
    const { clock, facts } = this.#deps;
    return {
      name: facts.name,
      version: facts.version,
      clock: clock.kind,
      now: formatInstant(clock.now()),
      wall: formatInstant(clock.wall()),
      startedAt: formatInstant(facts.startedAt),
      stateFolder: facts.stateFolder,
      database: facts.database,
      pid: facts.pid,
      engine: facts.engine(),
      residentBytes: facts.residentBytes(),
    };
  }

  async listEvents(query: {
    readonly subject?: string | undefined;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<Page<Event>> {
    const before = decodeCursor(query.cursor, 'number');
    const found = await this.#deps.events.list({
      ...(query.subject === undefined ? {} : { subject: query.subject }),
      ...(before === null ? {} : { before }),
      limit: query.limit + 1,
    });
    const items = found.map((event) => ({
      ...event,
      wall: formatInstant(event.wall),
      now: formatInstant(event.now),
      data: { ...event.data },
    }));
    return nextPage(items, query.limit, (last) => last.seq);
  }

  /** Fires what is due on the way, each at its own time, and settles before it answers. */
  async advance(to: string): Promise<{ readonly now: string; readonly fired: number }> {
    const target = present(parseInstant(to), 'a parsed instant');
    const mine = this.#turn.then(() => this.#advanceTo(target));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #advanceTo(target: Micros): Promise<{ readonly now: string; readonly fired: number }> {
    const { clock, timers } = this.#deps;
    clock.assertCanMove(target);
    const fired = await timers.fireUntil(target, (at) => this.#moveTo(at));
    await this.#moveTo(target);
    return { now: formatInstant(clock.now()), fired };
  }

  async #moveTo(at: Micros): Promise<void> {
    await this.#deps.store.setNow(at);
    this.#deps.clock.move(at);
  }
}
