import { expect, it } from 'vitest';
import { judgeMissing, judgeRange } from './judge-columns.ts';
import { profileOf, type Profile } from './profile.ts';
import { dayPeriod, FEATURES, simulatedDay } from './simulated-days.ts';
import { slicesIn } from './slice.ts';

const COURSE = { seed: 11, rows: 300, dayEffect: 0.4, signalEffect: 0 };
const DAYS = 10;

/** Training days in which every fifth `b` is missing. */
function profile(): Profile {
  const days = Array.from({ length: DAYS }, (_, day) => withMissing(day, 0.2));
  const all = (read: (rows: (typeof days)[number]) => Float64Array) =>
    Float64Array.from(days.flatMap((rows) => [...read(rows)]));
  return profileOf(1, {
    times: all((rows) => rows.answeredAt),
    columns: new Map(FEATURES.map((name) => [name, all((rows) => rows.features.get(name)!)])),
    scores: null,
    inputs: null,
  });
}

function withMissing(day: number, share: number) {
  const rows = simulatedDay(COURSE, day);
  const b = rows.features.get('b')!;
  for (let row = 0; row < share * b.length; row += 1) b[row] = NaN;
  return rows;
}

function slicesOf(rows: ReturnType<typeof simulatedDay>, of: Profile) {
  return slicesIn(rows, dayPeriod(DAYS), new Map([[1, of]]));
}

const known = profile();
const asked = (rows: ReturnType<typeof simulatedDay>) => ({
  profile: known,
  slices: slicesOf(rows, known),
  ignore: new Set<string>(),
});

it('knows how much is missing as a rule', () => {
  expect(judgeMissing(asked(withMissing(DAYS, 0.2)))).toMatchObject([
    { subject: '*', state: 'ok', rows: 300 },
  ]);
});

it('warns when more is missing, and is an alert at once when most is', () => {
  expect(judgeMissing(asked(withMissing(DAYS, 0.35)))).toMatchObject([
    { subject: 'b', state: 'warn', isBreach: true, value: 0.35 },
  ]);
  const [check] = judgeMissing(asked(withMissing(DAYS, 0.95)));
  expect(check).toMatchObject({ subject: 'b', state: 'alert' });
  expect(check!.reference).toBeCloseTo(0.2, 6);
});

it('tells of values that training never had, not of extremes that grow a little', () => {
  const rows = simulatedDay(COURSE, DAYS);
  const c = rows.features.get('c')!;
  const greatest = known.columns.find(({ name }) => name === 'c')!.greatest!;
  c[0] = greatest + 0.01;
  expect(judgeRange(asked(rows))).toMatchObject([{ subject: '*', state: 'ok' }]);
  for (let row = 0; row < 30; row += 1) c[row] = 100;
  const [check] = judgeRange(asked(rows));
  expect(check).toMatchObject({ subject: 'c', state: 'warn' });
  expect(check!.value).toBeCloseTo(0.1, 1);
  expect(judgeRange({ ...asked(rows), ignore: new Set(['c']) })).toMatchObject([{ subject: '*' }]);
});
