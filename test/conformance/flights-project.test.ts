import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseDefinitions } from '../../src/capabilities/features/definitions.ts';
import { resolveStages } from '../../src/formats/dvc/resolve-stages.ts';
import { parseConfigFile, readDeclaration } from '../../src/platform/config/load-config.ts';

/** The files of examples/flights that Millwright and DVC read, as they are shipped. */
const PROJECT = path.resolve('examples/flights');

function read(name: string): string {
  return readFileSync(path.join(PROJECT, name), 'utf8');
}

test('millwright.yaml declares every part of the walkthrough', () => {
  const { sections } = readDeclaration(PROJECT, undefined);
  expect(Object.keys(sections).toSorted()).toEqual(
    [
      'sources',
      'entities',
      'views',
      'services',
      'labels',
      'training_sets',
      'endpoints',
      'monitors',
      'loops',
    ].toSorted(),
  );
  const definitions = parseDefinitions(sections);
  expect(Object.keys(definitions.views)).toEqual([
    'origin_delays',
    'destination_delays',
    'route_delays',
  ]);
  expect(definitions.entities['origin']?.time_zone).toEqual({
    table: 'airports',
    key: 'iata',
    value: 'zone',
  });
});

test('the environment of its pipeline is locked with hashes', () => {
  const { pipelines } = parseConfigFile(read('millwright.yaml'), 'millwright.yaml');
  const lock = read(pipelines!.python!.requirements);
  const wanted = read('requirements.in').match(/^[a-z][a-z0-9-]*==\S+/gm)!;
  expect(wanted.length).toBeGreaterThan(5);
  for (const requirement of wanted) expect(lock).toMatch(new RegExp(`^${requirement} \\\\$`, 'm'));
  const locked = lock.split('\n').filter((line) => /^[a-z]/i.test(line));
  for (const line of locked) expect(line).toMatch(/^[a-z0-9._-]+==\S+ (; .* )?\\$/i);
  expect(lock.match(/--hash=sha256:[0-9a-f]{64}/g)!.length).toBeGreaterThan(locked.length);
});

test('dvc.yaml has the stages, and the training set is asked for each time', async () => {
  const stages = await resolveStages(read('dvc.yaml'), (name) => Promise.resolve(read(name)));
  expect(stages.map(({ name, isAlwaysChanged }) => [name, isAlwaysChanged])).toEqual([
    ['prepare', false],
    ['training_set', true],
    ['train', false],
  ]);
});
