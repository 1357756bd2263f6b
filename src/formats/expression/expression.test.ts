import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileExpression, type Row, type Value } from './evaluate.ts';
import type { Scope, ValueType } from './expression.ts';
import { parseExpression } from './parse-expression.ts';
import { printDuckDb } from './print-duckdb.ts';

/** Both evaluators against each other, on texts of every form and values that differ most. */

const SCOPE: Scope = {
  columns: {
    i: 'long',
    j: 'long',
    x: 'double',
    y: 'double',
    s: 'string',
    b: 'boolean',
    t: 'timestamp',
  },
  zoned: { airport: { key: 's' } },
};
const ZONES: Readonly<Record<string, string>> = {
  a: 'America/New_York',
  B: 'Europe/Berlin',
  '': 'Australia/Lord_Howe',
  zz: 'Asia/Kathmandu',
};

const long = fc.oneof(
  fc.bigInt({ min: -12n, max: 12n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 62n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const double = fc.oneof(
  fc.integer({ min: -40, max: 40 }).map((halves) => halves / 2),
  fc.constantFrom(
    Number.NaN,
    Infinity,
    -Infinity,
    -0,
    5e-324,
    1e308,
    -1e308,
    0.1,
    0.49999999999999994,
  ),
  fc.constantFrom(2 ** 53 + 0.5, 2 ** 52 + 0.5, 9.3e18, 2 ** 63, -(2 ** 63)),
  fc.double(),
);
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'B',
    'zz',
    ' 1',
    '12',
    '-7',
    '+3',
    '1.5',
    '1e3',
    '1_0',
    '0x1',
    'nan',
    'Éa\u{1F44D}',
  ),
  fc.constantFrom(
    '\uffff',
    '\u{10000}',
    'I\u0130\u00df',
    "o'k",
    '9223372036854775808',
    '1e999',
    '12\n',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }).map((value) => value.replaceAll('\0', '')),
);
const instant = fc.integer({ min: 0, max: 2_000_000_000 }).map((seconds) => seconds * 1_000_000);
const row = fc.record({
  i: fc.option(long),
  j: fc.option(long),
  x: fc.option(double),
  y: fc.option(double),
  s: fc.option(text),
  b: fc.option(fc.boolean()),
  t: fc.option(instant),
});
type Sample = typeof row extends fc.Arbitrary<infer R> ? R : never;

type Kind = 'number' | 'string' | 'boolean';
type Texts = Readonly<Record<Kind, fc.Arbitrary<string>>>;

const DEPTH = { maxDepth: 3, withCrossShrink: true } as const;

/** A form with a place for each part, `$` where it goes. */
function form(pattern: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((values) => {
    const left = values.values();
    return pattern.replaceAll('$', () => left.next().value as string);
  });
}

function choices(value: fc.Arbitrary<string>, boolean: fc.Arbitrary<string>) {
  return [
    form('(case when $ then $ else $ end)', boolean, value, value),
    form('(case $ when $ then $ end)', value, value, value),
    form('coalesce($, null, $)', value, value),
    form('nullif($, $)', value, value),
  ];
}

const LEAST_OR_GREATEST = fc.constantFrom('least', 'greatest');
const COMPARED = fc.constantFrom('=', '<>', '<', '<=', '>', '>=');
const UNARY = fc.constantFrom('abs', 'floor', 'ceil', 'round', 'sqrt', '-');

function numbers({ number, string, boolean }: Texts): fc.Arbitrary<string> {
  return fc.oneof(
    DEPTH,
    fc.constantFrom('i', 'j', 'x', 'y', '0', '1', '-3', '2.5', '.5e1', '1e300'),
    fc.constantFrom('-9223372036854775808', 'hour(t)', 'weekday(t)'),
    fc.constantFrom('hour(local(t, airport))', 'weekday(local(t, airport))'),
    form('($ $ $)', number, fc.constantFrom('+', '-', '*', '/', '%'), number),
    form('$($)', UNARY, number),
    form('$($, $)', LEAST_OR_GREATEST, number, number),
    form('clamp($, $, $)', number, number, number),
    form('cast($ as $)', number, fc.constantFrom('int64', 'double')),
    form('cast($ as $)', string, fc.constantFrom('int64', 'double')),
    form('cast($ as double)', boolean),
    form('length($)', string),
    ...choices(number, boolean),
  );
}

function strings({ string, boolean }: Texts): fc.Arbitrary<string> {
  return fc.oneof(
    DEPTH,
    fc.constantFrom('s', "'a'", "'B''q'", "''", "'\u{1F44D}'"),
    fc.constantFrom('cast(i as string)', 'cast(b as string)'),
    form('$($)', fc.constantFrom('lower', 'upper'), string),
    form('$($, $)', LEAST_OR_GREATEST, string, string),
    ...choices(string, boolean),
  );
}

function booleans({ number, string, boolean }: Texts): fc.Arbitrary<string> {
  return fc.oneof(
    DEPTH,
    fc.constantFrom('b', 'true', 'false', 'cast(i as boolean)', 'cast(x as boolean)'),
    form('($ $ $)', number, COMPARED, number),
    form('($ $ $)', string, COMPARED, string),
    form('($ $ $)', boolean, fc.constantFrom('and', 'or', '='), boolean),
    form('(not $)', boolean),
    form('($ in (1, $, null))', number, number),
    form("($ not in ('a', $))", string, string),
    form('(($) $)', number, fc.constantFrom('is null', 'is not null')),
    ...choices(boolean, boolean),
  );
}

/** Texts by the type they have; `ln` and `exp` are compared apart, with a tolerance. */
const texts = fc.letrec<Record<Kind, string>>((tie) => {
  const all: Texts = { number: tie('number'), string: tie('string'), boolean: tie('boolean') };
  return { number: numbers(all), string: strings(all), boolean: booleans(all) };
});

const expressionText = fc
  .oneof(texts.number, texts.string, texts.boolean)
  .filter((written) => written.length < 300);

let connection: DuckDBConnection;

beforeAll(async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  // Not UTC: the connection's zone must not matter.
  await connection.run("SET TimeZone = 'Asia/Tokyo'");
  await connection.run(
    'CREATE TABLE r (n INTEGER, i BIGINT, j BIGINT, x DOUBLE, y DOUBLE, s VARCHAR, b BOOLEAN, t TIMESTAMPTZ)',
  );
});

function zoneSql(_: string, key: string): string {
  const cases = Object.entries(ZONES).map(([name, zone]) => `WHEN '${name}' THEN '${zone}'`);
  return `(CASE ${key} ${cases.join(' ')} END)`;
}

async function inDuckDb(written: string, samples: readonly Sample[]): Promise<Value[]> {
  const expression = parseExpression(written, SCOPE);
  await connection.run('DELETE FROM r');
  const { BIGINT, BOOLEAN, DOUBLE, INTEGER, VARCHAR } = await import('@duckdb/node-api');
  const types = [INTEGER, BIGINT, BIGINT, DOUBLE, DOUBLE, VARCHAR, BOOLEAN, BIGINT];
  for (const [n, { i, j, x, y, s, b, t }] of samples.entries()) {
    await connection.run(
      'INSERT INTO r VALUES ($1, $2, $3, $4, $5, $6, $7, make_timestamptz(CAST($8 AS BIGINT)))',
      [n, i, j, x, y, s, b, t === null ? null : BigInt(t)],
      types,
    );
  }
  const sql = printDuckDb(expression, { zone: zoneSql });
  const reader = await connection.runAndReadAll(`SELECT ${sql} FROM r ORDER BY n`);
  return reader.getRows().map(([value]) => value as Value);
}

function inTypeScript(written: string, samples: readonly Row[]): Value[] {
  const evaluate = compileExpression(parseExpression(written, SCOPE), {
    zones: { airport: ZONES },
  });
  return samples.map((sample) => evaluate(sample));
}

/** Negative zero is zero: they compare as equal everywhere. */
function plain(values: readonly Value[]): Value[] {
  return values.map((value) => (value === 0 ? 0 : value));
}

const TYPED: Readonly<Record<ValueType, string>> = {
  string: 'string',
  long: 'bigint',
  double: 'number',
  boolean: 'boolean',
  timestamp: 'number',
  local: 'number',
};

describe('an expression', () => {
  it('means the same in DuckDB and in TypeScript', { timeout: 120_000 }, async () => {
    const samples = fc.array(row, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(expressionText, samples, async (written, rows) => {
        const here = inTypeScript(written, rows);
        const { type } = parseExpression(written, SCOPE);
        for (const value of here) if (value !== null) expect(typeof value).toBe(TYPED[type]);
        expect(plain(here)).toEqual(plain(await inDuckDb(written, rows)));
      }),
      { numRuns: 400 },
    );
  });

  it('has logarithms and powers equal but for the last digits', async () => {
    const rows = fc.array(row, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ln(x)', 'exp(x)', 'ln(i)'),
        rows,
        async (written, found) => {
          const there = await inDuckDb(written, found);
          for (const [index, here] of inTypeScript(written, found).entries()) {
            const other = there[index] as number | null;
            if (here === null || other === null) expect(here).toBe(other);
            else
              expect(Math.abs((here as number) - other)).toBeLessThanOrEqual(
                Math.abs(other) * 1e-15,
              );
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  const ROW: Row = { i: 7, j: -3n, x: 2.5, y: 0, s: 'Az', b: null, t: 1_000_000 };
  it.each<[string, Value]>([
    ['1 + 2 * 3', 7n],
    ['-(1 + 2) % 2', -1n],
    ['7 / 2', 3.5],
    ['x / y', null],
    ['i % 0', null],
    ['9223372036854775807 + 1', null],
    ['-9223372036854775808', -(2n ** 63n)],
    ['b or true', true],
    ['b and true', null],
    ['b and false', false],
    ['not b', null],
    ['2 not in (1, null)', null],
    ['CASE WHEN b THEN 1 ELSE 2.5 END', 2.5],
    ['case s when \'Az\' then "x" end', 2.5],
    ['round(-x)', -3],
    ['cast(x as int64)', 2n],
    ['clamp(i, 0, 5)', 5n],
    ["lower(s) = 'az'", true],
    ['greatest(null, i, x)', 7],
    ['hour(t) = 0 and weekday(t) = 4', true],
  ])('%s is %s', (written, expected) => {
    expect(inTypeScript(written, [ROW])).toEqual([expected]);
  });

  it.each([
    ['delay', 'there is no column delay (at character 1)'],
    ['1 + ', 'the expression ends where a value was expected (at character 5)'],
    ['x x', 'x stands where a value was expected (at character 3)'],
    ['1 < 2 < 3', '< stands where a value was expected'],
    ['b + 1', '+ does not take a boolean'],
    ["s + 'a'", '+ does not take a string'],
    ['clamp(b, 0, 1)', 'clamp does not take a boolean'],
    ['round(s)', 'round takes a double, not a string'],
    ['rnd(x)', 'there is no function rnd'],
    ['nullif(x)', 'nullif takes 2 arguments, not 1'],
    ['cast(s as boolean)', 'a string cannot be cast to boolean'],
    ['cast(x as text)', 'text is no type to cast to'],
    ["'open", 'a quote is not closed'],
    ['x; drop table r', '; is not part of the language'],
    ['null', 'a bare null has no type'],
    ['local(t, airport)', 'a local time is no value'],
    ['hour(local(t, city))', 'no time zone is known of an entity city'],
    ['99999999999999999999', 'does not fit 64 bits'],
    ['1e999', '1e999 is too large'],
    ['x in ()', 'in takes at least one value'],
    [`${'('.repeat(100)}x`, 'nested more than 64 levels deep'],
    [Array(100).fill('x').join(' + '), 'nested more than 64 levels deep'],
    [`x + ${' '.repeat(2000)}`, 'at most 2000 characters'],
  ])('refuses %.40s', (written, message) => {
    expect(() => parseExpression(written, SCOPE)).toThrow(message);
  });

  it('suggests the name that was meant', () => {
    const hintOf = (written: string): string | undefined => {
      try {
        parseExpression(written, { columns: { delay: 'long' }, zoned: { origin: { key: 'o' } } });
      } catch (thrown) {
        return (thrown as { hint?: string }).hint;
      }
      return 'accepted';
    };
    expect(hintOf('dealy')).toBe('Meant: delay?');
    expect(hintOf('rond(delay)')).toBe('Meant: round?');
  });
});
