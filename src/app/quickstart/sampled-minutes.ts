import { micros, type Micros } from '../../base/time.ts';

export const MINUTE_MICROS = 60 * 1_000_000;
/** One minute of each slot is played. */
export const SLOT_MINUTES = 10;
const SLOT_MICROS = SLOT_MINUTES * MINUTE_MICROS;

/** The slot that holds the instant; they are numbered from 1970. */
export function slotOf(at: Micros): number {
  return Math.floor(at / SLOT_MICROS);
}

/**
 * Where the one minute of a slot begins whose departures ask: any of its ten, by a fixed hash, so
 * that no minute of the hour, when timetables cluster, is left out or preferred.
 */
export function sampledMinute(slot: number): Micros {
  let hash = Math.imul(slot ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  const minute = ((hash ^ (hash >>> 16)) >>> 0) % SLOT_MINUTES;
  return micros(slot * SLOT_MICROS + minute * MINUTE_MICROS);
}
