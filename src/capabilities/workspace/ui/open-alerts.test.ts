import { expect, it } from 'vitest';
import { MonitorSpec, type Check, type Monitor } from '../../monitoring/contract.ts';
import { openAlerts } from './open-alerts.ts';

function check(state: Check['state'], more: Partial<Check> = {}): Check {
  return {
    kind: 'score_drift',
    subject: '*',
    version: 2,
    state,
    isBreach: false,
    value: 1,
    lower: null,
    upper: null,
    reference: null,
    threshold: null,
    rows: 1,
    days: 1,
    since: null,
    until: null,
    explanation: 'because',
    ...more,
  };
}

function monitor(name: string, checks: readonly Check[] | null): Monitor {
  const latest = { id: 'eval_1', monitor: name, at: '', versions: [], state: 'ok', seconds: 1 };
  return {
    name,
    spec: MonitorSpec.parse({}),
    appliedAt: '',
    appliedBy: '',
    next: null,
    latest: checks === null ? null : { ...latest, state: 'ok', checks: [...checks] },
  };
}

it('has only what is alarming, gravest and then oldest first', () => {
  const found = openAlerts([
    monitor('late', [
      check('warn', { since: '2001-03-01T00:00:00Z' }),
      check('alert', { since: '2001-03-03T00:00:00Z', kind: 'missing', subject: 'distance' }),
      check('too_few_labels'),
    ]),
    monitor('churn', [check('alert', { since: '2001-03-02T00:00:00Z', version: null })]),
    monitor('new', null),
  ]);
  expect(found.map(({ title }) => title)).toEqual([
    'churn: score drift',
    'late v2: missing distance',
    'late v2: score drift',
  ]);
});
