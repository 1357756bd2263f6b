import { createHash } from 'node:crypto';
import { AppError } from '../../base/errors.ts';
import type { Declared, PlanPart } from '../../platform/capability.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Applied, Plan } from './contract.ts';

export interface DeclaredStateDeps {
  /** In the order in which they are applied: a part may refer to what the ones before it made. */
  readonly parts: readonly PlanPart[];
  readonly db: Db;
  readonly events: Pick<Events, 'step'>;
}

/** What `millwright.yaml` declares against what is; `up` never applies it by itself. */
export class DeclaredState {
  readonly #deps: DeclaredStateDeps;
  /** One change of the whole at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: DeclaredStateDeps) {
    this.#deps = deps;
  }

  /** What `apply` would change. Rejects with `INVALID_CONFIG`, `details.path` set. */
  async plan(declared: Declared): Promise<Plan> {
    const { parts } = this.#deps;
    const changes = [];
    for (const part of parts) changes.push(...(await part.plan(declared)));
    const known = new Set(parts.flatMap(({ sections }) => sections));
    const unknown = Object.keys(declared).find((section) => !known.has(section));
    if (unknown !== undefined) throw unknownSection(unknown);
    return { id: planId(declared, changes), changes };
  }

  /** The same for somebody who asks; that it was looked at, and what came of it, is recorded. */
  async compare(declared: Declared, actor: string): Promise<Plan> {
    const { db, events } = this.#deps;
    const plan = await this.plan(declared);
    const data = { plan: plan.id, differences: plan.changes.length };
    const event = { actor, kind: 'workspace.planned', subject: 'workspace', data };
    await db.write([events.step(event)]);
    return plan;
  }

  /**
   * Makes it so. With a plan's id only while that plan still holds, else `STALE_PLAN`. A crash in
   * the middle leaves some parts done; applying again does the rest.
   */
  async apply(
    declared: Declared,
    options: { readonly plan: string | undefined; readonly actor: string },
  ): Promise<Applied> {
    const mine = this.#turn.then(() => this.#applyNow(declared, options));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #applyNow(
    declared: Declared,
    { plan, actor }: { readonly plan: string | undefined; readonly actor: string },
  ): Promise<Applied> {
    const { parts, db, events } = this.#deps;
    // Everything is checked before anything changes.
    const { id, changes: planned } = await this.plan(declared);
    if (plan !== undefined && plan !== id) {
      throw new AppError('STALE_PLAN', `The plan is ${id} by now, not ${plan}.`, {
        hint: 'The file or the workspace changed since. See: millwright plan',
      });
    }
    if (planned.length === 0) return { id, changes: [] };
    const changes = [];
    for (const part of parts) changes.push(...(await part.apply(declared, actor)));
    const data = { plan: id, changes: changes.map((change) => ({ ...change })) };
    const event = { actor, kind: 'workspace.applied', subject: 'workspace', data };
    await db.write([events.step(event)]);
    return { id, changes };
  }
}

function unknownSection(section: string): AppError {
  return new AppError('INVALID_CONFIG', `There is no section ${section}.`, {
    hint: 'The sections of millwright.yaml are listed by: millwright schema',
    details: { path: [section] },
  });
}

const ID_DIGITS = 12;

/** The same file on the same workspace has the same id. */
function planId(declared: Declared, changes: Plan['changes']): string {
  const content = JSON.stringify([declared, changes]);
  return createHash('sha256').update(content).digest('hex').slice(0, ID_DIGITS);
}
