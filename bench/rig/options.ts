import { parseArgs } from 'node:util';

/** Numeric options of a benchmark's command line with their defaults: `--rounds 3`. */
export function options<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const names = Object.keys(defaults) as Name[];
  const parsed = parseArgs({
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      trial: { type: 'boolean' as const },
    },
  });
  const values = parsed.values as Readonly<Partial<Record<Name, string>>>;
  const given = (name: Name): number => Number(values[name] ?? defaults[name]);
  return Object.fromEntries(names.map((name) => [name, given(name)])) as Record<Name, number>;
}

/** `--trial`: shows what it measured and keeps nothing, so that a short run replaces no result. */
export function isTrial(): boolean {
  return process.argv.includes('--trial');
}
