import { expect, it } from 'vitest';
import type { Health, Status } from '../contract.ts';
import type { OpenAlert } from './open-alerts.ts';
import { troubles, type LogStatus } from './wellbeing.ts';

const health: Health = {
  status: 'ok',
  version: '0.1.0',
  components: [{ name: 'gateway', status: 'ok' }],
};
const status: Status = {
  name: 'flights',
  version: '0.1.0',
  clock: 'live',
  now: '2026-03-02T10:00:00Z',
  wall: '2026-03-02T10:00:00Z',
  startedAt: '2026-03-02T09:00:00Z',
  stateFolder: '.millwright',
  database: 'sqlite',
  pid: 1,
  engine: { state: 'ready', pid: 2, restarts: 0 },
  residentBytes: 1,
};
const log: LogStatus = {
  answered: 10,
  journaled: 10,
  flushed: 10,
  quarantined: 0,
  refused: 0,
  unflushedBytes: 0,
  unflushedBytesMax: 100,
  segments: 0,
  room: 'roomy',
  lastFlushAt: '2026-03-02T09:00:00Z',
  lastFlushError: null,
};

function found(changed: {
  health?: Health;
  status?: Status;
  log?: LogStatus;
  alerts?: readonly OpenAlert[];
}): readonly string[] {
  const { alerts = [] } = changed;
  return troubles(
    changed.health ?? health,
    changed.status ?? status,
    changed.log ?? log,
    alerts,
  ).map(({ what }) => what);
}

it('finds nothing wrong where all is well, an idle log included', () => {
  expect(found({})).toEqual([]);
});

it('names the component that is down', () => {
  const down = { name: 'database', status: 'down', detail: 'disk full' } as const;
  expect(found({ health: { ...health, components: [down] } })).toEqual(['database is down']);
});

it('counts answered requests that the log does not have', () => {
  expect(found({ log: { ...log, answered: 12 } })).toEqual(['2 answered requests not logged']);
});

it('does not mind records of requests whose answers are on their way', () => {
  expect(found({ log: { ...log, journaled: 12 } })).toEqual([]);
});

it('tells a failed flush from a late one', () => {
  const waiting = { ...log, unflushedBytes: 9 };
  expect(found({ log: waiting })).toEqual(['The prediction log is flushed late']);
  expect(found({ log: { ...waiting, lastFlushAt: '2026-03-02T09:59:30Z' } })).toEqual([]);
  expect(found({ log: { ...waiting, lastFlushError: 'ENOSPC.' } })).toEqual([
    'The prediction log could not be flushed',
  ]);
});

it('warns of a journal that fills, and tells when it is full', () => {
  const filling = { ...log, room: 'filling', unflushedBytes: 60 } as const;
  expect(found({ log: filling })).toContain('The journal is half full');
  expect(found({ log: { ...filling, room: 'full' } })).toContain('The journal is full');
});

it('puts what is severe first', () => {
  const engine = { state: 'restarting', pid: null, restarts: 1 } as const;
  const all = found({ status: { ...status, engine }, log: { ...log, answered: 11 } });
  expect(all).toEqual(['1 answered request not logged', 'The engine is restarting']);
});

it('is not well while a monitor is alarmed, but is when something is only worth a look', () => {
  const alert: OpenAlert = {
    monitor: 'late',
    evaluation: 'eval_1',
    kind: 'missing',
    subject: 'distance',
    version: 2,
    title: 'late v2: missing distance',
    state: 'warn',
    explanation: 'It is missing.',
    since: null,
  };
  expect(found({ alerts: [alert] })).toEqual([]);
  expect(found({ alerts: [alert, { ...alert, state: 'alert' }] })).toEqual(['1 alert of monitors']);
});
