import { constantRatio, type RatioFinding } from '../../base/stats/constant-ratio.ts';
import { medianOf } from '../../base/stats/quantile.ts';
import { formatInstant, micros, type Micros } from '../../base/time.ts';
import { checkOf, shown, type CheckTopic } from './check-of.ts';
import type { Check } from './contract.ts';
import { HOUR_MICROS } from './periods.ts';
import { learned, type KeyedValues, type Sighting, type UnitMemory } from './unit-memory.ts';

/** Sightings of known keys before anything is said. */
const KNOWN_MIN = 200;
/** A number is fixed by its key when this share of repeated sightings agree. */
const FIXED_SHARE = 0.9;
/** Two values of one key may differ by this, as a difference of logarithms, and be unchanged. */
const TOLERANCE = 0.02;
/** An hour is a changed one from this share of its known sightings on, and at least so many. */
const CHANGED_SHARE = 0.2;
const CHANGED_MIN = 2;

export interface UnitsFound {
  readonly checks: readonly Check[];
  readonly memory: UnitMemory;
}

/**
 * Whether numbers that a request's texts determine became one constant multiple of what they were,
 * which a mix of other requests cannot do and a change of unit does; since which hour, and until
 * which. Sightings are of one window in the order of time; what is learned from them are the hours
 * without a change.
 */
export function judgeUnits(
  sightings: ReadonlyMap<string, readonly Sighting[]>,
  memory: UnitMemory,
): UnitsFound {
  const checks: Check[] = [];
  const inputs: Record<string, KeyedValues> = { ...memory.inputs };
  for (const [name, seen] of sightings) {
    const found = judgeInput(name, seen, memory.inputs[name]);
    if (found.check !== null) checks.push(found.check);
    inputs[name] = found.values;
  }
  return { checks, memory: { inputs } };
}

function judgeInput(
  name: string,
  seen: readonly Sighting[],
  known: KeyedValues | undefined,
): { readonly check: Check | null; readonly values: KeyedValues } {
  const topic: CheckTopic = { kind: 'unit_change', subject: name, version: null };
  const repeats = (known?.same ?? 0) + (known?.other ?? 0);
  if (known === undefined || repeats < KNOWN_MIN) {
    const text = `Learning what ${name} is for each key: ${Math.round(repeats)} repeats so far.`;
    const check = checkOf(topic, 'no_data', text, { rows: seen.length });
    return { check, values: learned(known, seen) };
  }
  if (known.same < FIXED_SHARE * repeats) return { check: null, values: learned(known, seen) };
  const pairs = seen.flatMap((sighting) => {
    const expected = known.values[sighting.key];
    return expected === undefined ? [] : [{ ...sighting, expected: expected[0] }];
  });
  const change = ratioOf(pairs, known);
  if (change === null) {
    const same = pairs.filter(({ value, expected }) => isNear(value / expected, 1)).length;
    const text = `${same} of ${pairs.length} values are what they were for their key.`;
    const check = checkOf(topic, pairs.length === 0 ? 'no_data' : 'ok', text, {
      value: 1,
      reference: 1,
      rows: pairs.length,
    });
    return { check, values: learned(known, seen) };
  }
  return changed(topic, { seen, pairs, known, change });
}

interface Pair extends Sighting {
  readonly expected: number;
}

interface Change extends Pick<RatioFinding, 'hints'> {
  readonly ratio: number;
  readonly agreeing: number;
  readonly keys: number;
}

/** The ratio that values which changed agree in; null when none did, or not all alike. */
function ratioOf(pairs: readonly Pair[], known: KeyedValues): Change | null {
  const other = pairs.filter(({ value, expected }) => !isNear(value / expected, 1));
  const byKey = new Map<string, { readonly expected: number; readonly values: number[] }>();
  for (const { key, value, expected } of other) {
    const found = byKey.get(key) ?? { expected, values: [] };
    found.values.push(value);
    byKey.set(key, found);
  }
  const keyed = [...byKey.values()].map(({ expected, values }) => ({
    reference: expected,
    current: medianOf(values.sort((a, b) => a - b))!,
  }));
  const found = constantRatio(keyed, { basis: 'keys', tolerance: TOLERANCE });
  if (found.verdict === 'constant-ratio' && found.ratio !== null) {
    const { ratio, hints, agreeing, pairs: keys } = found;
    return { ratio, hints, agreeing: Math.round(agreeing * keys), keys };
  }
  // It may end with fewer keys than tell a new one.
  if (known.open === null) return null;
  const { ratio } = known.open;
  const agreeing = keyed.filter((one) => isNear(one.current / one.reference, ratio)).length;
  return { ratio, hints: found.hints, agreeing, keys: keyed.length };
}

function changed(
  topic: CheckTopic,
  of: {
    readonly seen: readonly Sighting[];
    readonly pairs: readonly Pair[];
    readonly known: KeyedValues;
    readonly change: Change;
  },
): { readonly check: Check | null; readonly values: KeyedValues } {
  const { seen, pairs, known, change } = of;
  const hours = hoursOf(pairs, change.ratio);
  let open = known.open;
  let ended: { readonly since: Micros; readonly until: Micros } | null = null;
  const untouched = new Set<number>();
  for (const { hour, isChanged } of hours) {
    if (isChanged) open ??= { ratio: change.ratio, since: micros(hour * HOUR_MICROS) };
    else {
      untouched.add(hour);
      if (open !== null) ended = { since: open.since, until: micros(hour * HOUR_MICROS) };
      open = null;
    }
  }
  const calm = seen.filter(({ at }) => untouched.has(Math.floor(at / HOUR_MICROS)));
  const values = { ...learned(known, calm), open };
  const name = topic.subject;
  const found = { value: change.ratio, reference: 1, rows: pairs.length };
  if (open === null && ended === null) {
    const text = `${pairs.length} known values; the few that changed do not share a time.`;
    return { check: checkOf(topic, 'ok', text, { ...found, value: 1 }), values };
  }
  const since = formatInstant(open?.since ?? ended!.since);
  const until = open === null ? formatInstant(ended!.until) : null;
  const [hint] = change.hints;
  const unit = hint === undefined ? 'no common pair of units' : `${hint.from} to ${hint.to}`;
  const text =
    `${name} ${until === null ? 'is' : 'was'} ${shown(change.ratio)} times what it was for its ` +
    `key (${change.agreeing} of ${change.keys} keys that changed agree; ${unit}), since ${since}` +
    (until === null
      ? '. A change of unit looks like this.'
      : ` until ${until}; it is as before now.`);
  const check = checkOf(topic, until === null ? 'alert' : 'ok', text, {
    ...found,
    isBreach: until === null,
    since,
    until,
  });
  return { check, values };
}

/** Hours with known sightings in the order of time, and whether the change shows in them. */
function hoursOf(
  pairs: readonly Pair[],
  ratio: number,
): readonly { readonly hour: number; readonly isChanged: boolean }[] {
  const hours = new Map<number, { all: number; changed: number }>();
  for (const { at, value, expected } of pairs) {
    const hour = Math.floor(at / HOUR_MICROS);
    const counts = hours.get(hour) ?? { all: 0, changed: 0 };
    counts.all += 1;
    if (isNear(value / expected, ratio)) counts.changed += 1;
    hours.set(hour, counts);
  }
  return [...hours]
    .sort(([a], [b]) => a - b)
    .filter(([, { all }]) => all >= CHANGED_MIN)
    .map(([hour, { all, changed: count }]) => ({
      hour,
      isChanged: count >= CHANGED_MIN && count >= CHANGED_SHARE * all,
    }));
}

function isNear(quotient: number, ratio: number): boolean {
  return quotient / ratio > 0 && Math.abs(Math.log(quotient / ratio)) <= TOLERANCE;
}
