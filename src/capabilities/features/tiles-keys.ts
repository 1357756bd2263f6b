import { createHash } from 'node:crypto';
import type { CompiledKey } from './compiled.ts';

/** The keys under which features lie in the online store; nothing else there starts with this. */
export const FEATURES = 'features/';
/** Views and builds there are, as JSON: see `tiles-catalog.ts`. */
export const CATALOG = `${FEATURES}catalog`;
/** Changes with the catalog, so that a reader knows from eight bytes that it has the newest. */
export const EPOCH = `${FEATURES}epoch`;

/**
 * Longer texts are replaced by their SHA-256, which leaves the prefixes room within the 511 bytes
 * that the store allows.
 */
const TEXT_BYTES_MAX = 400;

/** Table version that a build shows, and up to which time its events were dropped. */
export function watermarkKey(build: number): string {
  return `${FEATURES}watermark/${build}`;
}

/** How far a build that is being filled has got. */
export function fillKey(build: number): string {
  return `${FEATURES}fill/${build}`;
}

export function idsPrefix(build: number): string {
  return `${FEATURES}id/${build}/`;
}

export function rootsPrefix(view: number): string {
  return `${FEATURES}root/${view}/`;
}

export function leavesPrefix(view: number): string {
  return `${FEATURES}leaf/${view}/`;
}

/** The first key behind all keys of the prefix: its last character is `/`, and `0` follows it. */
export function prefixEnd(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}

/** The text of an event's id, whatever its length. */
export function idText(id: string): string {
  return fitting(`s${id}`);
}

/** One column's part of a key: self-delimiting, so that ('1', '23') is not ('12', '3'). */
export function keyPart(type: CompiledKey['type'], value: string | number): string {
  if (type === 'long') return `l${value === 0 ? 0 : value};`;
  const text = String(value);
  return `s${text.length}:${text}`;
}

/** All parts of one key, as text that fits into a key of the store. */
export function keyText(parts: readonly string[]): string {
  return fitting(parts.length === 1 ? parts[0]! : parts.join(''));
}

/** No text begins with `h` but those that stand for a longer one. */
function fitting(text: string): string {
  // Three bytes are the most that a UTF-16 unit takes in UTF-8.
  if (text.length * 3 <= TEXT_BYTES_MAX) return text;
  if (Buffer.byteLength(text) <= TEXT_BYTES_MAX) return text;
  return `h${createHash('sha256').update(text).digest('base64url')}`;
}
