import { expect, it } from 'vitest';
import type { Check, Evaluation } from '../contract.ts';
import { alertEpisodes, unitEpisodes } from './alert-episodes.ts';
import { behindCheck } from './day-range.ts';

function check(of: Partial<Check>): Check {
  return {
    kind: 'traffic',
    subject: '*',
    version: null,
    state: 'alert',
    isBreach: true,
    value: 1,
    lower: null,
    upper: null,
    reference: null,
    threshold: null,
    rows: 1,
    days: 1,
    since: null,
    until: null,
    explanation: 'as it is',
    ...of,
  };
}

function evaluation(day: number, checks: readonly Check[]): Evaluation {
  const at = `2001-03-0${day}T00:00:00Z`;
  const rest = { monitor: 'late', versions: [], state: 'ok', seconds: 0 } as const;
  return { ...rest, id: `eval_${day}`, at, checks: [...checks], versions: [] };
}

const silent = check({ kind: 'label_silence', subject: 'late', since: '2001-03-01T21:00:00Z' });

it('joins evaluations that found the same into one alert with its end', () => {
  const found = alertEpisodes([
    evaluation(5, [check({ explanation: 'newest' })]),
    evaluation(4, [check({ state: 'warn' })]),
    evaluation(3, [silent]),
    evaluation(2, [silent, check({})]),
  ]);
  expect(found).toMatchObject([
    { kind: 'traffic', since: '2001-03-05T00:00:00Z', until: null, explanation: 'newest' },
    { kind: 'traffic', since: '2001-03-02T00:00:00Z', until: '2001-03-03T00:00:00Z' },
    {
      kind: 'label_silence',
      since: '2001-03-01T21:00:00Z',
      until: '2001-03-04T00:00:00Z',
      evaluation: 'eval_3',
    },
  ]);
});

it('tells a changed unit once, with its end as soon as it is known', () => {
  const since = '2001-03-01T06:00:00Z';
  const changed = { kind: 'unit_change', subject: 'distance', value: 1.609, since } as const;
  const until = '2001-03-03T00:00:00Z';
  const found = unitEpisodes([
    evaluation(4, [check({ kind: 'unit_change', subject: 'distance', state: 'ok' })]),
    evaluation(3, [check({ ...changed, state: 'ok', until })]),
    evaluation(2, [check(changed)]),
  ]);
  expect(found).toMatchObject([{ subject: 'distance', ratio: 1.609, since, until }]);
});

it('asks for the requests of the days that a check looked at', () => {
  const at = '2001-03-08T00:00:00Z';
  expect(behindCheck(check({ kind: 'errors', version: 2, days: 0 }), at)).toEqual({
    from: '2001-03-07T00:00:00Z',
    until: at,
    version: 2,
    failed: true,
  });
  const since = '2001-03-01T06:00:00Z';
  expect(behindCheck(check({ kind: 'unit_change', since }), at)).toEqual({
    from: since,
    until: at,
  });
});
