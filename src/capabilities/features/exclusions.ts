import { present } from '../../base/assert.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Exclusion, ExclusionInput } from './exclusions-contract.ts';
import { EXCLUSIONS_MAX, type ExclusionRow, type ExclusionsStore } from './exclusions-store.ts';

export interface ExclusionsDeps {
  readonly store: ExclusionsStore;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
}

/** A half-open span of T; without an end it goes on. */
export interface ExcludedSpan {
  readonly from: number;
  readonly until: number | null;
}

/** Times whose rows no training set takes: recorded with a reason, never forgotten. */
export class Exclusions {
  readonly #deps: ExclusionsDeps;

  constructor(deps: ExclusionsDeps) {
    this.#deps = deps;
  }

  async record(input: ExclusionInput, actor: string): Promise<Exclusion> {
    const { store, clock, ids } = this.#deps;
    const known = input.key === undefined ? null : await store.findByKey(input.key);
    if (known !== null) return toExclusion(known);
    const from = instant(input.from);
    const until = input.until === undefined ? null : instant(input.until);
    assertOrdered(from, until);
    const row: ExclusionRow = {
      id: ids.next('exc'),
      key: input.key ?? null,
      source: input.source ?? null,
      from_at: from,
      until_at: until,
      reason: input.reason,
      actor,
      recorded_at: clock.now(),
      withdrawn_at: null,
    };
    await store.insert(row, [this.#event(row, 'exclusion.recorded', { actor })]);
    return toExclusion(row);
  }

  async end(id: string, until: string, actor: string): Promise<Exclusion> {
    const row = await this.#require(id);
    const at = instant(until);
    assertOrdered(row.from_at, at);
    const changed = { ...row, until_at: at };
    const event = this.#event(changed, 'exclusion.ended', { actor });
    await this.#deps.store.change(id, { until_at: at }, [event]);
    return toExclusion(changed);
  }

  async withdraw(id: string, reason: string, actor: string): Promise<Exclusion> {
    const row = await this.#require(id);
    if (row.withdrawn_at !== null) return toExclusion(row);
    const changed = { ...row, withdrawn_at: this.#deps.clock.now() };
    const event = this.#event(changed, 'exclusion.withdrawn', { actor, reason });
    await this.#deps.store.change(id, { withdrawn_at: changed.withdrawn_at }, [event]);
    return toExclusion(changed);
  }

  async list(query: PageQuery): Promise<Page<Exclusion>> {
    const before = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.store.list({ before, limit: query.limit + 1 });
    return nextPage(found.map(toExclusion), query.limit, (last) => last.id);
  }

  /** What a training set over this source leaves out of `[from, until)`, by time. */
  async spansOf(
    source: string,
    range: { readonly from: Micros; readonly until: Micros },
  ): Promise<readonly ExcludedSpan[]> {
    const found = await this.#deps.store.inForce(source, range);
    if (found.length > EXCLUSIONS_MAX) {
      throw new AppError(
        'INVALID_INPUT',
        `More than ${EXCLUSIONS_MAX} exclusions touch the range.`,
        {
          hint: 'Withdraw those that one longer exclusion covers: millwright exclusions ls',
        },
      );
    }
    return found.map((row) => ({ from: row.from_at, until: row.until_at }));
  }

  async #require(id: string): Promise<ExclusionRow> {
    const row = await this.#deps.store.find(id);
    if (row !== null) return row;
    throw new AppError('EXCLUSION_NOT_FOUND', `There is no exclusion ${id}.`, {
      hint: 'See them with: millwright exclusions ls',
    });
  }

  #event(
    row: ExclusionRow,
    kind: string,
    by: { readonly actor: string; readonly reason?: string },
  ) {
    const { id, source, from, until, reason } = toExclusion(row);
    const data = { source, from, until, reason: by.reason ?? reason };
    return this.#deps.events.step({ actor: by.actor, kind, subject: `exclusion/${id}`, data });
  }
}

function assertOrdered(from: Micros, until: Micros | null): void {
  if (until === null || from < until) return;
  throw new AppError('INVALID_INPUT', 'The exclusion ends before it begins.', {
    hint: 'Give from before until.',
  });
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'an instant that was checked');
}

function toExclusion(row: ExclusionRow): Exclusion {
  const { id, source, reason, actor } = row;
  return {
    id,
    source,
    from: formatInstant(row.from_at),
    until: row.until_at === null ? null : formatInstant(row.until_at),
    reason,
    actor,
    recordedAt: formatInstant(row.recorded_at),
    withdrawnAt: row.withdrawn_at === null ? null : formatInstant(row.withdrawn_at),
  };
}
