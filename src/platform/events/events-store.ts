import type { Generated } from 'kysely';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { EventInput, StoredEvent } from './port.ts';

/** An event tells what happened; whatever is larger is stored elsewhere and referred to. */
const DATA_CHARACTERS_MAX = 64 * 1024;

interface EventsRow {
  readonly seq: Generated<number>;
  readonly wall: Micros;
  readonly now: Micros;
  readonly actor: string;
  readonly kind: string;
  readonly subject: string;
  readonly data: string;
}

interface Tables {
  readonly events: EventsRow;
  readonly events_cursors: {
    readonly name: string;
    readonly position: number;
    readonly moved_at: Micros;
  };
}

const COLUMNS = ['seq', 'wall', 'now', 'actor', 'kind', 'subject', 'data'] as const;

/** The tables `events` and `events_cursors`. */
export class EventsStore {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor(db: Db, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  insert(event: EventInput): Step {
    const data = JSON.stringify(event.data);
    assert(data.length <= DATA_CHARACTERS_MAX, `the data of the event ${event.kind} is too large`);
    const { actor, kind, subject } = event;
    const query = this.#queries()
      .insertInto('events')
      .values({ wall: this.#clock.wall(), now: this.#clock.now(), actor, kind, subject, data })
      .returning('seq');
    return { query };
  }

  async list(query: {
    readonly subject?: string;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]> {
    const { subject, before, limit } = query;
    const rows = this.#queries()
      .selectFrom('events')
      .select(COLUMNS)
      .$if(subject !== undefined, (events) => events.where('subject', '=', subject!))
      .$if(before !== undefined, (events) => events.where('seq', '<', before!))
      .orderBy('seq', 'desc')
      .limit(limit);
    return (await this.#db.read(rows)).map(toEvent);
  }

  async after(seq: number, limit: number): Promise<readonly StoredEvent[]> {
    const rows = this.#queries()
      .selectFrom('events')
      .select(COLUMNS)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit);
    return (await this.#db.read(rows)).map(toEvent);
  }

  async latest(): Promise<number> {
    const query = this.#queries()
      .selectFrom('events')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1);
    const [row] = await this.#db.read(query);
    return row?.seq ?? 0;
  }

  /** The consumer's position; a new one begins at `start`. */
  async position(name: string, start: number): Promise<number> {
    const cursors = this.#queries();
    const created = { name, position: start, moved_at: this.#clock.wall() };
    const [, found] = await this.#db.write([
      {
        query: cursors
          .insertInto('events_cursors')
          .values(created)
          .onConflict((conflict) => conflict.doNothing()),
      },
      { query: cursors.selectFrom('events_cursors').select('position').where('name', '=', name) },
    ]);
    return Number(found?.rows[0]?.['position']);
  }

  /** Moves the position, in one transaction with what the events have caused. */
  async move(
    name: string,
    positions: { readonly from: number; readonly to: number },
    steps: readonly Step[],
  ): Promise<void> {
    const query = this.#queries()
      .updateTable('events_cursors')
      .set({ position: positions.to, moved_at: this.#clock.wall() })
      .where('name', '=', name)
      .where('position', '=', positions.from);
    const otherwise = new ConsumerFenced(name);
    await this.#db.write([{ query, expect: { rows: 1, otherwise } }, ...steps]);
  }

  #queries() {
    return this.#db.queries<Tables>();
  }
}

/** Another process has moved the same consumer's position: this one must not go on. */
export class ConsumerFenced extends AppError {
  constructor(name: string) {
    super('CONFLICT', `The consumer ${name} runs somewhere else, too.`, {
      hint: 'Stop the other Millwright that uses this database.',
    });
  }
}

function toEvent(row: {
  readonly seq: number;
  readonly wall: Micros;
  readonly now: Micros;
  readonly actor: string;
  readonly kind: string;
  readonly subject: string;
  readonly data: string;
}): StoredEvent {
  return { ...row, data: JSON.parse(row.data) as Readonly<Record<string, unknown>> };
}
