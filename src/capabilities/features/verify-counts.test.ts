import { expect, test } from 'vitest';
import { flightService } from '../../../test/contracts/landings.ts';
import { VerifyCounts } from './verify-counts.ts';
import type { LoggedVector } from './verify-logged.ts';

const SERVICE = flightService();
const RANGE = { from: '2001-02-01T00:00:00Z', until: '2001-03-01T00:00:00Z', isPartial: false };

/** A report on one vector that is `logged` throughout and gives `known`. */
function compared(logged: number, known: number) {
  const all = (value: number) => SERVICE.features.map(() => value);
  const vector: LoggedVector = {
    requestId: 'req_1',
    endpoint: 'late',
    time: 0,
    definition: SERVICE.hash,
    inputs: {},
    values: all(logged),
    watermarks: {},
  };
  const counts = new VerifyCounts(SERVICE);
  counts.compare(SERVICE, vector, { known: all(known), settled: all(known) });
  return counts.report(RANGE);
}

test('a sum of cents that lost a few of 200 million dollars is another value', () => {
  const report = compared(20_000_000_000, 19_999_999_985);
  expect(report.isConsistent).toBe(false);
  expect(report.logicMismatches).toBe(SERVICE.features.length);
  expect(report.features[0]!.maxDifference).toBe(15);
});

test('fractions may differ by the rounding of a sum', () => {
  expect(compared(0.1 + 0.2, 0.3)).toMatchObject({ isConsistent: true, logicMismatches: 0 });
});

test('nothing compared is nothing confirmed', () => {
  expect(new VerifyCounts(SERVICE).report(RANGE)).toMatchObject({ rows: 0, isConsistent: false });
});
