import type { Check, CheckKind, CheckState } from './contract.ts';

/** What a check is about. */
export interface CheckTopic {
  readonly kind: CheckKind;
  readonly subject: string;
  readonly version: number | null;
}

/** The subject of a check on the whole. */
export const WHOLE = '*';

type Found = Partial<Omit<Check, keyof CheckTopic | 'state' | 'explanation'>>;

/** A check with nothing in the places that its kind has no use for. */
export function checkOf(
  topic: CheckTopic,
  state: CheckState,
  explanation: string,
  found: Found = {},
): Check {
  return {
    kind: topic.kind,
    subject: topic.subject,
    version: topic.version,
    state,
    isBreach: false,
    value: null,
    lower: null,
    upper: null,
    reference: null,
    threshold: null,
    rows: 0,
    days: 0,
    since: null,
    until: null,
    ...found,
    explanation,
  };
}

export function isSameTopic(a: CheckTopic, b: CheckTopic): boolean {
  return a.kind === b.kind && a.subject === b.subject && a.version === b.version;
}

/** `late`, then `late and lost`, then `late, lost and 3 more`. */
export function listed(names: readonly string[], max = 3): string {
  const shown = names.slice(0, max);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more} more`;
  const last = shown.at(-1) ?? '';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}

/** At most four significant digits, as a person writes them. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(4));
  const isPlain = rounded === 0 || (Math.abs(rounded) >= 1e-4 && Math.abs(rounded) < 1e7);
  return isPlain ? String(rounded) : rounded.toExponential();
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}
