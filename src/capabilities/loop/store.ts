import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { LoopSpec } from './contract.ts';
import type { EndedInstance } from './cooldown.ts';
import {
  fromInstance,
  isOver,
  NO_MEMORY,
  toInstance,
  toLoop,
  type DecisionsRow,
  type LoopMemory,
  type LoopTables,
  type Stop,
  type StoredInstance,
  type StoredLoop,
} from './stored.ts';

/** More ended instances than this within a budget's span are a loop that runs wild. */
const ENDED_MAX = 200;

/** The tables `loop_loops`, `loop_instances` and `loop_decisions`. */
export class LoopStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async write(steps: readonly Step[]): Promise<void> {
    await this.#db.write(steps);
  }

  async findLoop(name: string): Promise<StoredLoop | null> {
    const query = this.#queries().selectFrom('loop_loops').selectAll().where('name', '=', name);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toLoop(row);
  }

  /** Rejects with `LOOP_NOT_FOUND`. */
  async requireLoop(name: string): Promise<StoredLoop> {
    const found = await this.findLoop(name);
    if (found !== null) return found;
    throw new AppError('LOOP_NOT_FOUND', `There is no loop ${name}.`, {
      hint: 'Declare it in the section loops of millwright.yaml; see: millwright loop ls',
    });
  }

  /** By name, those after `after`. */
  async listLoops(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredLoop[]> {
    let query = this.#queries().selectFrom('loop_loops').selectAll().orderBy('name');
    if (page.after !== null) query = query.where('name', '>', page.after);
    return (await this.#db.read(query.limit(page.limit))).map(toLoop);
  }

  /** A new loop, or another declaration of one that keeps its memory. */
  putLoop(name: string, spec: LoopSpec): Step {
    const text = JSON.stringify(spec);
    const memory = JSON.stringify(NO_MEMORY);
    const query = this.#queries()
      .insertInto('loop_loops')
      .values({ name, spec: text, stopped: null, resumed_at: null, memory, revision: 1 })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet((eb) => ({ spec: text, revision: eb('loop_loops.revision', '+', 1) })),
      );
    return { query };
  }

  /** Its instances and decisions stay on record. */
  removeLoop(name: string): Step {
    return { query: this.#queries().deleteFrom('loop_loops').where('name', '=', name) };
  }

  /** Rejects with `CONFLICT` when the loop has changed since it was read. */
  changeLoop(
    loop: StoredLoop,
    set: {
      readonly memory?: LoopMemory;
      readonly stopped?: Stop | null;
      readonly resumedAt?: Micros;
    },
  ): Step {
    const { memory, stopped, resumedAt } = set;
    const query = this.#queries()
      .updateTable('loop_loops')
      .set({
        ...(memory === undefined ? {} : { memory: JSON.stringify(memory) }),
        ...(stopped === undefined
          ? {}
          : { stopped: stopped === null ? null : JSON.stringify(stopped) }),
        ...(resumedAt === undefined ? {} : { resumed_at: resumedAt }),
        revision: loop.revision + 1,
      })
      .where('name', '=', loop.name)
      .where('revision', '=', loop.revision);
    return { query, expect: { rows: 1, otherwise: changedMeanwhile(loop.name) } };
  }

  /** Rejects with `CONFLICT` (unique) when the loop has an instance under way. */
  insertInstance(instance: StoredInstance): Step {
    return { query: this.#queries().insertInto('loop_instances').values(fromInstance(instance)) };
  }

  /** Rejects with `CONFLICT` when the instance has moved since it was read. */
  changeInstance(
    instance: StoredInstance,
    set: Partial<Pick<StoredInstance, 'state' | 'causes' | 'challenger' | 'course' | 'endedAt'>>,
  ): Step {
    const revision = instance.revision + 1;
    const { id: _, ...row } = fromInstance({ ...instance, ...set, revision });
    const query = this.#queries()
      .updateTable('loop_instances')
      .set(row)
      .where('id', '=', instance.id)
      .where('revision', '=', instance.revision);
    return { query, expect: { rows: 1, otherwise: changedMeanwhile(instance.loop) } };
  }

  async openInstance(loop: string): Promise<StoredInstance | null> {
    const query = this.#instances().where('open_loop', '=', loop);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toInstance(row);
  }

  /** Newest first, those with an id below `before`. */
  async listInstances(
    loop: string,
    page: { readonly before: string | null; readonly limit: number },
  ): Promise<readonly StoredInstance[]> {
    let query = this.#instances().where('loop', '=', loop).orderBy('id', 'desc');
    if (page.before !== null) query = query.where('id', '<', page.before);
    return (await this.#db.read(query.limit(page.limit))).map(toInstance);
  }

  /** What the policy has to remember, newest first. */
  async ended(loop: string): Promise<readonly EndedInstance[]> {
    const query = this.#instances()
      .where('loop', '=', loop)
      .where('open_loop', 'is', null)
      .orderBy('ended_at', 'desc')
      .orderBy('id', 'desc')
      .limit(ENDED_MAX);
    return (await this.#db.read(query)).map(toInstance).flatMap(toEnded);
  }

  insertDecision(decision: Omit<DecisionsRow, 'id'>): Step {
    const query = this.#queries()
      .insertInto('loop_decisions')
      .values(decision as DecisionsRow);
    return { query };
  }

  /** Newest first, those with an id below `before`; of one instance or of all. */
  async listDecisions(
    loop: string,
    page: {
      readonly before: number | null;
      readonly instance: string | null;
      readonly limit: number;
    },
  ): Promise<readonly DecisionsRow[]> {
    let query = this.#queries()
      .selectFrom('loop_decisions')
      .selectAll()
      .where('loop', '=', loop)
      .orderBy('id', 'desc');
    if (page.before !== null) query = query.where('id', '<', page.before);
    if (page.instance !== null) query = query.where('instance', '=', page.instance);
    return this.#db.read(query.limit(page.limit));
  }

  async decision(loop: string, id: number): Promise<DecisionsRow | null> {
    const query = this.#queries()
      .selectFrom('loop_decisions')
      .selectAll()
      .where('loop', '=', loop)
      .where('id', '=', id);
    const [row] = await this.#db.read(query);
    return row ?? null;
  }

  #instances() {
    return this.#queries().selectFrom('loop_instances').selectAll();
  }

  #queries() {
    return this.#db.queries<LoopTables>();
  }
}

function toEnded(instance: StoredInstance): readonly EndedInstance[] {
  const { id, state, startedAt, endedAt, isManual, course } = instance;
  if (!isOver(state) || endedAt === null) return [];
  const isTraining = course.stage !== null;
  return [{ id, outcome: state, startedAt, endedAt, isManual, isTraining }];
}

/** Somebody else decided in between; whoever asked looks again. */
function changedMeanwhile(loop: string): AppError {
  return new AppError('CONFLICT', `The loop ${loop} has changed meanwhile.`, {
    hint: `Look at it again: millwright loop status ${loop}`,
  });
}
