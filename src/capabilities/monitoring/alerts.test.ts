import { expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { alertmanagerPayload } from '../../platform/outbox/alertmanager-payload.ts';
import { alertEvents } from './alerts.ts';
import { checkOf } from './check-of.ts';
import type { Check } from './contract.ts';

function drift(subject: string, state: Check['state']): Check {
  const topic = { kind: 'drift', subject, version: 3 } as const;
  return checkOf(topic, state, `${subject} moved`, { since: '2001-05-01T00:00:00Z' });
}

const told = (checks: readonly Check[], former: readonly Check[]) =>
  alertEvents({
    monitor: 'late',
    evaluation: 'eval_1',
    at: '2001-05-03T00:00:00Z',
    checks,
    former,
  });

it('fires once for all subjects of a kind and version, again when one joins', () => {
  const [a, b] = [drift('a', 'alert'), drift('b', 'alert')];
  expect(told([a, b], [])).toMatchObject([
    { kind: 'alert.fired', data: { finding: { kind: 'drift', version: 3, subjects: ['a', 'b'] } } },
  ]);
  expect(told([a, b], [a, b])).toEqual([]);
  expect(told([a], [a, b])).toEqual([]);
  expect(told([a, b], [a])).toHaveLength(1);
  expect(told([drift('a', 'warn')], [a])).toMatchObject([
    { kind: 'alert.resolved', data: { alert: { endsAt: '2001-05-03T00:00:00Z' } } },
  ]);
});

it('is what receivers of Alertmanager take', () => {
  const [event] = told([drift('a', 'alert')], []);
  const times = { seq: 1, wall: micros(0), now: micros(0) };
  const alert = {
    status: 'firing',
    labels: { alertname: 'millwright_drift', severity: 'warning', monitor: 'late', version: '3' },
    annotations: { summary: 'late: drift of a', description: 'a: a moved' },
    startsAt: '2001-05-01T00:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '/api/v1/monitors/late/evaluations/eval_1',
    fingerprint: 'late/drift/3',
  };
  expect(alertmanagerPayload({ ...event!, ...times })).toEqual({
    version: '4',
    groupKey: '{}:{alertname="millwright_drift", fingerprint="late/drift/3"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'millwright',
    groupLabels: { alertname: 'millwright_drift' },
    commonLabels: alert.labels,
    commonAnnotations: alert.annotations,
    externalURL: '',
    alerts: [alert],
  });
  expect(alertmanagerPayload({ ...event!, ...times, data: { evaluation: 'eval_1' } })).toBeNull();
});
