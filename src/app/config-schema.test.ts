import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from './config-schema.ts';

const schema = z.fromJSONSchema(configSchema());

function flights(): Record<string, Record<string, Record<string, unknown>>> {
  return parse(readFileSync('examples/flights/millwright.yaml', 'utf8'), { merge: true }) as never;
}

test('the schema takes the file of the example as it is', () => {
  expect(schema.safeParse(flights()).error).toBeUndefined();
});

test('the schema finds what an editor should underline', () => {
  const broken: readonly ((file: ReturnType<typeof flights>) => void)[] = [
    (file) => (file['endponts'] = {}),
    (file) => (file['endpoints']!['late']!['modle'] = 'late'),
    (file) => (file['views']!['origin_delays']!['windows'] = ['soon']),
    (file) => (file['monitors']!['late']!['quality'] = { metric: 'accuracy' }),
    (file) => delete file['loops']!['late']!['pipeline'],
    (file) => delete file['version'],
  ];
  for (const change of broken) {
    const file = flights();
    change(file);
    expect(schema.safeParse(file).success, String(change)).toBe(false);
  }
});
