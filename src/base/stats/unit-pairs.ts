/** `to` = `scale` * `from` + `offset`. */
export interface UnitPair {
  readonly from: string;
  readonly to: string;
  readonly scale: number;
  readonly offset: number;
}

const ratio = (from: string, to: string, scale: number): UnitPair => ({
  from,
  to,
  scale,
  offset: 0,
});

/** Conversions that a source may change by without telling; exact where units are defined so. */
const PAIRS: readonly UnitPair[] = [
  ratio('miles', 'kilometres', 1.609344),
  ratio('nautical miles', 'kilometres', 1.852),
  ratio('nautical miles', 'miles', 1.852 / 1.609344),
  ratio('feet', 'metres', 0.3048),
  ratio('yards', 'metres', 0.9144),
  ratio('inches', 'centimetres', 2.54),
  ratio('feet', 'inches', 12),
  ratio('pounds', 'kilograms', 0.45359237),
  ratio('ounces', 'grams', 28.349523125),
  ratio('short tons', 'tonnes', 0.90718474),
  ratio('US gallons', 'litres', 3.785411784),
  ratio('imperial gallons', 'litres', 4.54609),
  ratio('minutes', 'seconds (or hours to minutes)', 60),
  ratio('hours', 'seconds', 3_600),
  ratio('days', 'hours', 24),
  ratio('weeks', 'days', 7),
  ratio('days', 'seconds', 86_400),
  ratio('tens', 'units (centimetres to millimetres)', 10),
  ratio('units', 'hundredths (currency to cents, shares to percent)', 100),
  ratio('thousands', 'units (seconds to milliseconds, kilometres to metres)', 1_000),
  ratio('millions', 'units (seconds to microseconds)', 1e6),
  ratio('kibibytes', 'bytes', 1_024),
  ratio('metres per second', 'kilometres per hour (or kilowatt-hours to megajoules)', 3.6),
  ratio('calories', 'joules', 4.184),
  ratio('bar', 'pounds per square inch', 14.503773773),
  ratio('millimetres of mercury', 'hectopascals', 1.333223874),
  ratio('radians', 'degrees', 180 / Math.PI),
  ratio('a value', 'its negative', -1),
  { from: 'degrees Celsius', to: 'degrees Fahrenheit', scale: 1.8, offset: 32 },
  { from: 'degrees Celsius', to: 'kelvins', scale: 1, offset: 273.15 },
  { from: 'degrees Fahrenheit', to: 'kelvins', scale: 1 / 1.8, offset: 459.67 / 1.8 },
];

const BOTH_WAYS: readonly UnitPair[] = PAIRS.flatMap((pair) => [
  pair,
  { from: pair.to, to: pair.from, scale: 1 / pair.scale, offset: -pair.offset / pair.scale },
]);

const HINTS_MAX = 3;

/**
 * Known conversions near `current = scale * reference + offset`, nearest first: a hint to a person,
 * never a reason to convert. `tolerance` is relative for the scale; the offset may be off by it
 * times `spread`, the spread of current values.
 */
export function nearestUnitPairs(
  { scale, offset }: Pick<UnitPair, 'scale' | 'offset'>,
  { tolerance, spread }: { readonly tolerance: number; readonly spread: number },
): readonly UnitPair[] {
  return BOTH_WAYS.map((pair) => ({
    pair,
    off: Math.abs(Math.log(scale / pair.scale)),
    shifted: Math.abs(offset - pair.offset),
  }))
    .filter(({ off, shifted }) => off <= tolerance && shifted <= tolerance * spread)
    .sort((a, b) => a.off - b.off)
    .slice(0, HINTS_MAX)
    .map(({ pair }) => pair);
}
