import { formatInstant, micros, MICROS_PER_SECOND } from '../../src/base/time.ts';

/** 2026-03-02 10:00 UTC: the machine's time in every fixture. */
export const WALL_SECOND = 1_772_445_600;

export function at(second: number, sub = 0): string {
  return formatInstant(micros(second * MICROS_PER_SECOND + sub));
}

export function wallAt(offsetSeconds: number): string {
  return at(WALL_SECOND + offsetSeconds);
}

/** Hexadecimal text that differs by seed and looks like a digest. */
export function hex(seed: number, length: number): string {
  let text = '';
  for (let value = seed + 1; text.length < length; value = (value * 48_271) % 2_147_483_647) {
    text += value.toString(16);
  }
  return text.slice(0, length);
}
