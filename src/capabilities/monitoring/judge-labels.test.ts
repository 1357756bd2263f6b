import { expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { judgeSilence, type LabelEvents } from './judge-labels.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';

/** Outcomes of whole days: one each ten minutes from 06:00 to midnight. */
function day(index: number): LabelEvents {
  const from = index * DAY_MICROS;
  return {
    from: micros(from),
    until: micros(from + DAY_MICROS),
    count: 108,
    first: micros(from + 6 * HOUR_MICROS),
    last: micros(from + DAY_MICROS - HOUR_MICROS / 6),
    longestGap: HOUR_MICROS / 6,
  };
}

function none(index: number): LabelEvents {
  return { ...day(index), count: 0, first: null, last: null, longestGap: 0 };
}

const days = (count: number) => Array.from({ length: count }, (_, index) => day(index));
const judged = (events: readonly LabelEvents[], at: number, asked = 1000) =>
  judgeSilence({ label: 'late', at: micros(at), events, asked });

it('takes nights for what they are', () => {
  const events = days(10);
  expect(judged(events, 10 * DAY_MICROS).state).toBe('ok');
  expect(judged(events, 10 * DAY_MICROS + 12 * HOUR_MICROS).state).toBe('ok');
});

it('is an alert when a source is silent for longer than it ever was', () => {
  const check = judged([...days(10), none(10)], 11 * DAY_MICROS);
  expect(check).toMatchObject({ state: 'alert', isBreach: true, since: '1970-01-10T23:50:00Z' });
  expect(check.explanation).toContain('within 9 days the longest silence was 6.2 hours');
});

it('stays calm while nothing is asked', () => {
  expect(judged([...days(10), none(10)], 11 * DAY_MICROS, 0).state).toBe('ok');
});

it('knows little of a young source, but that a day is long', () => {
  expect(judged(days(2), 2 * DAY_MICROS + 20 * HOUR_MICROS).state).toBe('no_data');
  expect(judged([...days(2), none(2)], 3 * DAY_MICROS + HOUR_MICROS).state).toBe('alert');
  expect(judged([none(0)], DAY_MICROS).state).toBe('no_data');
});
