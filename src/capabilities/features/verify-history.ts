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

const BLOCK = 128;

/**
 * Everything a key's events ever were, for windows as of any table version. Blocks of neighbours
 * that had settled by the version asked for count as a whole; only what came later is looked at one
 * by one.
 */
export class KeyHistory {
  readonly #revisions: KeyRevisions;
  readonly #blocks: readonly Block[];

  constructor(revisions: KeyRevisions) {
    this.#revisions = revisions;
    const count = Math.ceil(revisions.times.length / BLOCK);
    this.#blocks = Array.from({ length: count }, (_, index) => blockOf(revisions, index * BLOCK));
  }

  /** Totals of the windows (shortest first) at T, as `TileReader.read` gives them. */
  totals(
    windows: readonly number[],
    at: { readonly time: number; readonly version: number },
  ): Float64Array {
    const { times, values } = this.#revisions;
    const stride = windowStride(values.length);
    const totals = new Float64Array(windows.length * stride);
    const state = emptyTotals(values.length);
    let end = lowerBound(times, at.time, 0, times.length);
    windows.forEach((window, index) => {
      const start = lowerBound(times, at.time - window, 0, end);
      this.#add(state, { start, end, version: at.version });
      emit(state, totals, index * stride);
      end = start;
    });
    return totals;
  }

  #add(
    state: Totals,
    range: { readonly start: number; readonly end: number; readonly version: number },
  ): void {
    for (let at = range.start; at < range.end;) {
      const block = this.#blocks[Math.floor(at / BLOCK)]!;
      const isWhole = at % BLOCK === 0 && at + BLOCK <= range.end;
      if (isWhole && block.lastChange <= range.version) {
        addBlock(state, block);
        at += BLOCK;
      } else {
        const stop = Math.min(range.end, (Math.floor(at / BLOCK) + 1) * BLOCK);
        for (; at < stop; at += 1) this.#addEvent(state, at, range.version);
      }
    }
  }

  #addEvent(state: Totals, at: number, version: number): void {
    const { from, until, values } = this.#revisions;
    if (from[at]! > version || until[at]! <= version) return;
    state.events += 1;
    values.forEach((column, index) => {
      const value = column[at]!;
      if (Number.isNaN(value)) return;
      const total = state.expressions[index]!;
      total.nonNull += 1;
      if (value < total.min) total.min = value;
      if (value > total.max) total.max = value;
      total.sum.add(value);
    });
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

function blockOf({ times, from, until, values }: KeyRevisions, start: number): Block {
  const end = Math.min(times.length, start + BLOCK);
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
