import { ExactSum } from './exact-sum.ts';
import { lowerBound } from './tiles-layout.ts';
import { EVENTS, MAX, MIN, NON_NULL, SUM, totalAt, windowStride } from './tiles-read.ts';
import { exactParts } from './tiles-sum.ts';

/** Revisions of events of one key in the order of their times, with when each was seen. */
export interface KeyRevisions {
  readonly times: Float64Array;
  /** Seen in table versions `from <= version < until`. */
  readonly from: Float64Array;
  readonly until: Float64Array;
  /** By expression; NaN is null. */
  readonly values: readonly Float64Array[];
}

interface Block {
  /** From this version on nothing in the block changes any more. */
  readonly lastChange: number;
  /** What it holds then. */
  readonly events: number;
  readonly expressions: readonly {
    readonly nonNull: number;
    readonly min: number;
    readonly max: number;
    readonly parts: readonly number[];
  }[];
}

/** Neighbouring revisions in a block, largest first. */
const SMALLEST = 128;
const SIZES = [2048, SMALLEST];

/** Everything a key's events ever were, for windows as of any table version. */
export interface KeyHistory {
  /** Whether the last totals are those of any later version, too. */
  readonly hadSettled: boolean;
  /**
   * Puts totals of the windows (shortest first) at T where `TileReader.read` has them; extremes
   * only where they were asked for.
   */
  totals(windows: readonly number[], at: KeyInstant, totals: Float64Array): void;
}

export interface KeyInstant {
  readonly time: number;
  readonly version: number;
}

/**
 * Of events with any values. Blocks of neighbours that had settled by the version asked for count
 * as a whole; only what came later is looked at one by one.
 */
export class BlockHistory implements KeyHistory {
  readonly #revisions: KeyRevisions;
  readonly #levels: readonly { readonly size: number; readonly blocks: readonly Block[] }[];
  #hadSettled = true;

  constructor(revisions: KeyRevisions) {
    this.#revisions = revisions;
    const events = revisions.times.length;
    this.#levels = SIZES.filter((size) => size <= events).map((size) => ({
      size,
      blocks: Array.from({ length: Math.floor(events / size) }, (_, index) =>
        blockOf(revisions, index * size, size),
      ),
    }));
  }

  get hadSettled(): boolean {
    return this.#hadSettled;
  }

  totals(windows: readonly number[], at: KeyInstant, totals: Float64Array): void {
    const { times, values } = this.#revisions;
    const stride = windowStride(values.length);
    const state = emptyTotals(values.length);
    this.#hadSettled = true;
    let end = lowerBound(times, at.time, 0, times.length);
    windows.forEach((window, index) => {
      const start = lowerBound(times, at.time - window, 0, end);
      this.#add(state, { start, end, version: at.version });
      emit(state, totals, index * stride);
      end = start;
    });
  }

  #add(
    state: Totals,
    range: { readonly start: number; readonly end: number; readonly version: number },
  ): void {
    for (let at = range.start; at < range.end;) {
      // Blocks of all sizes begin where those of the smallest do.
      const level =
        at % SMALLEST !== 0
          ? undefined
          : this.#levels.find(
              ({ size, blocks }) =>
                at % size === 0 &&
                at + size <= range.end &&
                blocks[at / size]!.lastChange <= range.version,
            );
      if (level === undefined) {
        this.#addEvent(state, at, range.version);
        at += 1;
      } else {
        addBlock(state, level.blocks[at / level.size]!);
        at += level.size;
      }
    }
  }

  #addEvent(state: Totals, at: number, version: number): void {
    const { from, until, values } = this.#revisions;
    const isGone = until[at]! <= version;
    if (from[at]! > version || (until[at] !== Infinity && !isGone)) this.#hadSettled = false;
    if (from[at]! > version || isGone) return;
    state.events += 1;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index]![at]!;
      if (Number.isNaN(value)) continue;
      const total = state.expressions[index]!;
      total.nonNull += 1;
      if (value < total.min) total.min = value;
      if (value > total.max) total.max = value;
      total.sum.add(value);
    }
  }
}

/** Windows of a key that no event has. */
export function noTotals(windows: number, expressions: number): Float64Array {
  const stride = windowStride(expressions);
  const totals = new Float64Array(windows * stride);
  const state = emptyTotals(expressions);
  for (let window = 0; window < windows; window += 1) emit(state, totals, window * stride);
  return totals;
}

interface Totals {
  events: number;
  readonly expressions: readonly {
    nonNull: number;
    min: number;
    max: number;
    readonly sum: ExactSum;
  }[];
}

function emptyTotals(expressions: number): Totals {
  const empty = (): Totals['expressions'][number] => ({
    nonNull: 0,
    min: Infinity,
    max: -Infinity,
    sum: new ExactSum(),
  });
  return { events: 0, expressions: Array.from({ length: expressions }, empty) };
}

function blockOf({ from, until, values }: KeyRevisions, start: number, size: number): Block {
  const end = start + size;
  let lastChange = 0;
  const kept: number[] = [];
  for (let at = start; at < end; at += 1) {
    lastChange = Math.max(lastChange, from[at]!);
    if (until[at] === Infinity) kept.push(at);
    else lastChange = Math.max(lastChange, until[at]!);
  }
  const expressions = values.map((column) => {
    const present = kept.map((at) => column[at]!).filter((value) => !Number.isNaN(value));
    const parts = exactParts(Float64Array.from(present)) ?? present;
    return {
      nonNull: present.length,
      min: Math.min(...present),
      max: Math.max(...present),
      parts,
    };
  });
  return { lastChange, events: kept.length, expressions };
}

function addBlock(state: Totals, block: Block): void {
  state.events += block.events;
  block.expressions.forEach(({ nonNull, min, max, parts }, index) => {
    const total = state.expressions[index]!;
    total.nonNull += nonNull;
    if (min < total.min) total.min = min;
    if (max > total.max) total.max = max;
    for (const part of parts) total.sum.add(part);
  });
}

function emit(state: Totals, totals: Float64Array, start: number): void {
  totals[start + EVENTS] = state.events;
  state.expressions.forEach(({ nonNull, min, max, sum }, index) => {
    const at = start + totalAt(index, 0);
    totals[at + NON_NULL] = nonNull;
    totals[at + SUM] = nonNull === 0 ? NaN : sum.value();
    totals[at + MIN] = nonNull === 0 ? NaN : min;
    totals[at + MAX] = nonNull === 0 ? NaN : max;
  });
}
