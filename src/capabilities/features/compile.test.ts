import { describe, expect, it } from 'vitest';
import { AppError } from '../../base/errors.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { compile, type Compiled } from './compile.ts';
import { parseDefinitions } from './definitions.ts';
import { FLIGHT_TABLES, flightSections } from './flights-definitions.ts';

const ZONES = { origin: { ORD: 'America/Chicago', JFK: 'America/New_York' } };

type Sections = ReturnType<typeof flightSections>;

function compiled(change: (sections: Sections) => void = () => undefined, zones = ZONES): Compiled {
  const sections = flightSections();
  change(sections);
  const schemas = new Map<string, readonly Column[]>(
    Object.entries(FLIGHT_TABLES).map(([name, columns]) => [`default.${name}`, columns]),
  );
  return compile(parseDefinitions(sections), { schemas, zones });
}

function failure(change: (sections: Sections) => void): AppError {
  try {
    compiled(change);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('it was accepted');
}

describe('feature definitions', () => {
  it('compile to columns in the order in which they are declared', () => {
    const service = compiled().services.get('late_v1')!;
    expect(service.features).toHaveLength(39);
    const names = service.features.map(({ name }) => name);
    expect(names.slice(0, 6)).toEqual([
      'origin_delays__n_2h',
      'origin_delays__n_1d',
      'origin_delays__n_7d',
      'origin_delays__n_30d',
      'origin_delays__late_2h',
      'origin_delays__late_1d',
    ]);
    expect(names.slice(-4)).toEqual(['route_delays__delay_30d', 'distance', 'hour', 'weekday']);
    expect(service.inputs).toEqual([
      { name: 'origin', type: 'string', role: 'key' },
      { name: 'destination', type: 'string', role: 'key' },
      { name: 'distance', type: 'long', role: 'request' },
    ]);
    expect(service.zones).toEqual(ZONES);
    expect(JSON.parse(JSON.stringify(service))).toEqual(service);
  });

  it('have equal hashes when they are equal, and others when a value could differ', () => {
    const former = compiled();
    const hashes = (of: Compiled) => [
      of.views.get('origin_delays')!.hash,
      of.services.get('late_v1')!.hash,
      of.trainingSets.get('late_train')!.hash,
    ];
    expect(hashes(compiled())).toEqual(hashes(former));
    const window = compiled((sections) => {
      sections['views']!['origin_delays']!['windows'] = ['2h', '1d', '7d', '31d'];
    });
    expect(hashes(window).map((hash, index) => hash === hashes(former)[index])).toEqual([
      false,
      false,
      false,
    ]);
    const zones = { origin: { ...ZONES.origin, ORD: 'America/Denver' } };
    expect(hashes(compiled(undefined, zones)).map((hash, i) => hash === hashes(former)[i])).toEqual(
      [true, false, false],
    );
  });

  it('take a part of a view by its feature or by one of its windows', () => {
    const service = compiled((sections) => {
      sections['services']!['late_v1'] = { features: ['route_delays.n', 'origin_delays.late_7d'] };
    }).services.get('late_v1')!;
    expect(service.features.map(({ name }) => name)).toEqual([
      'route_delays__n_2h',
      'route_delays__n_1d',
      'route_delays__n_7d',
      'route_delays__n_30d',
      'origin_delays__late_7d',
    ]);
  });

  it.each<[string, (sections: Sections) => void, string, readonly unknown[], string | undefined]>([
    [
      'a source of another kind',
      (it) => (it['sources']!['landings']!['kind'] = 'snapshot'),
      'only sources of kind events',
      ['sources', 'landings', 'kind'],
      undefined,
    ],
    [
      'a time without a zone',
      (it) => (it['sources']!['landings']!['event_time'] = { column: 'origin', timezone: 'UTC' }),
      'a time without a zone',
      ['sources', 'landings', 'event_time', 'column'],
      undefined,
    ],
    [
      'a zone other than UTC',
      (it) =>
        (it['sources']!['landings']!['event_time'] = { column: 'landed_at', timezone: 'CET' }),
      'timezone is UTC',
      ['sources', 'landings', 'event_time', 'timezone'],
      undefined,
    ],
    [
      'a column that the table does not have',
      (it) => (it['sources']!['landings']!['columns'] = { orign: 'string' }),
      'Table default.landings has no column orign.',
      ['sources', 'landings', 'columns', 'orign'],
      'Meant: origin?',
    ],
    [
      'a column of another type',
      (it) => (it['sources']!['landings']!['columns'] = { delay: 'string' }),
      'Column delay of default.landings is a integer, not string.',
      ['sources', 'landings', 'columns', 'delay'],
      'Declare the type that the table has.',
    ],
    [
      'an expression over an unknown column',
      (it) =>
        (it['views']!['route_delays']!['features'] = {
          d: { agg: 'avg', of: 'clamp(dely, 0, 1)' },
        }),
      'There is no column dely (at character 7).',
      ['views', 'route_delays', 'features', 'd', 'of'],
      'Meant: delay?',
    ],
    [
      'an average of a boolean',
      (it) => (it['views']!['route_delays']!['features'] = { d: { agg: 'avg', of: 'late' } }),
      'A boolean cannot be aggregated.',
      ['views', 'route_delays', 'features', 'd', 'of'],
      'Write cast(... as double).',
    ],
    [
      'an unknown view',
      (it) => (it['services']!['late_v1']!['features'] = ['origin_delay.*']),
      'There is no view origin_delay.',
      ['services', 'late_v1', 'features', 0],
      'Meant: origin_delays?',
    ],
    [
      'an unknown feature',
      (it) => (it['services']!['late_v1']!['features'] = ['origin_delays.lat_7d']),
      'View origin_delays has no feature lat_7d.',
      ['services', 'late_v1', 'features', 0],
      'Meant: late_7d?',
    ],
    [
      'an unknown key',
      (it) => (it['views']!['route_delays']!['where'] = 'late'),
      'Unrecognized key: "where"',
      ['views', 'route_delays', 'where'],
      undefined,
    ],
    [
      'an input that the spine lacks',
      (it) => (it['services']!['late_v1']!['request'] = { dist: 'int32' }),
      'Source departures has no long column dist',
      ['training_sets', 'late_train', 'spine', 'from'],
      'Declare it among the columns of departures.',
    ],
    [
      'a label that no id matches',
      (it) => (it['labels']!['late']!['match'] = 'origin'),
      'Label late matches by origin, which is not the id of its source.',
      ['labels', 'late', 'match'],
      'Match by flight_id.',
    ],
  ])('refuse %s', (_, change, message, path, hint) => {
    const error = failure(change);
    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.message).toContain(message);
    expect(error.details).toEqual({ path });
    if (hint !== undefined) expect(error.hint).toBe(hint);
  });
});
