import { expect, test } from 'vitest';
import { versionModel } from '../onnx-model.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { seededRandom } from '../../src/base/stats/seeded-random.ts';
import { formatInstant, micros } from '../../src/base/time.ts';
import {
  columnHistory,
  getMonitor,
  listEvaluations,
  listMonitors,
  qualityHistory,
  runMonitor,
  type Evaluation,
} from '../../src/capabilities/monitoring/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import {
  advanceClock,
  applyDeclared,
  planDeclared,
} from '../../src/capabilities/workspace/contract.ts';

/** Weeks of a served endpoint with a label source, from the declaration to the alert. */

const DAY_MS = 86_400_000;
const BEGINS = Date.parse('2001-03-01T00:00:00Z');
const ASKED_AT = [6, 18];
const REQUESTS = 24;

const DECLARED = {
  sources: {
    landings: {
      kind: 'events',
      table: 'landings',
      id: 'flight_id',
      event_time: { column: 'landed_at', timezone: 'UTC' },
      columns: { late: 'boolean' },
    },
  },
  labels: { late: { source: 'landings', match: 'flight_id', value: 'late', mature: '12h' } },
  endpoints: { late: { model: 'late', key: 'flight_id' } },
};
const MONITORS = { late: { quality: { metric: 'auc', window: '3d', drop: 0.05 } } };

const instant = (ms: number) => formatInstant(micros(ms * 1000));

async function open(): Promise<TestApp> {
  const it = await createTestApp({ clock: 'replay' });
  await it.api.call(advanceClock, { body: { to: instant(BEGINS) } });
  const columns = [
    { name: 'flight_id', type: 'long', nullable: false },
    { name: 'landed_at', type: 'timestamp', nullable: false },
    { name: 'late', type: 'boolean', nullable: true },
  ] as const;
  const body = { namespace: 'default', name: 'landings', columns: [...columns] };
  await it.api.call(createTable, { body });
  const bytes = versionModel({ version: 1, weights: [1, 0, 0] });
  await it.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  const params = { endpoint: 'late' };
  await it.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight_id' } });
  await it.api.call(deploy, { params, body: { version: 1 } });
  await apply(it, MONITORS);
  return it;
}

async function apply(it: TestApp, monitors: object) {
  const declared = { ...DECLARED, monitors };
  return it.api.call(applyDeclared, { body: { declared } });
}

/** Plays days, the clock moved by this many hours at a time; landings follow three hours later. */
async function play(
  it: TestApp,
  of: {
    readonly from: number;
    readonly until: number;
    readonly step: number;
    readonly isSilent?: boolean;
  },
): Promise<void> {
  for (let hour = of.from * 24; hour < of.until * 24; hour += of.step) {
    const at = BEGINS + hour * 3_600_000;
    await it.api.call(advanceClock, { body: { to: instant(at) } });
    if (!ASKED_AT.includes(hour % 24)) continue;
    const random = seededRandom(hour);
    const rows: string[] = [];
    for (let index = 0; index < REQUESTS; index += 1) {
      const id = hour * 1000 + index;
      const score = random();
      await ask(it, id, score);
      const landed = instant(at + 3 * 3_600_000);
      rows.push(JSON.stringify({ flight_id: id, landed_at: landed, late: random() < score }));
    }
    // Told before it occurs, which an evaluation in between must not see.
    if (of.isSilent === true) continue;
    const params = { namespace: 'default', name: 'landings' };
    const bytes = new TextEncoder().encode(rows.join('\n'));
    await it.api.call(appendRows, { params, query: {} }, { bytes });
  }
  await it.api.call(advanceClock, { body: { to: instant(BEGINS + of.until * DAY_MS) } });
}

async function ask(it: TestApp, flight: number, score: number): Promise<void> {
  const reply = await it.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight_id: String(flight) },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [score, 1, 1] }],
    }),
  });
  expect(reply.statusCode).toBe(200);
}

async function evaluations(it: TestApp): Promise<readonly Evaluation[]> {
  const params = { monitor: 'late' };
  return (await it.api.call(listEvaluations, { params, query: { limit: 100 } })).items.toReversed();
}

async function newest(it: TestApp): Promise<Evaluation> {
  const { latest } = await it.api.call(getMonitor, { params: { monitor: 'late' } });
  return latest!;
}

const checkOf = ({ checks }: Evaluation, kind: string) =>
  checks.find((check) => check.kind === kind);

/** Quality by day, as the pages draw it. */
async function tellsDays(it: TestApp): Promise<void> {
  const params = { monitor: 'late' };
  const { matureUntil, days, windowDays } = await it.api.call(qualityHistory, {
    params,
    query: {},
  });
  expect([matureUntil, windowDays]).toEqual(['2001-03-08T00:00:00Z', 3]);
  expect(days.map(({ labelled }) => labelled)).toEqual([48, 48, 48, 48, 48, 48, 48, null]);
  expect(days[6]).toMatchObject({ version: 1, requests: 48, isWhole: true, window: { days: 3 } });
  // Nothing is known of the rows that this version was trained on.
  await expect(
    it.api.call(columnHistory, { params, query: { column: 'x' } }),
  ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
}

test(
  'evaluates each day, measures quality, and wakes somebody when labels stop',
  { timeout: 120_000 },
  async () => {
    await using it = await open();
    const { events } = it.app.platform;
    await play(it, { from: 0, until: 8, step: 6 });
    expect((await evaluations(it)).map(({ at }) => at.slice(0, 10))).toEqual([
      '2001-03-02',
      '2001-03-03',
      '2001-03-04',
      '2001-03-05',
      '2001-03-06',
      '2001-03-07',
      '2001-03-08',
      '2001-03-09',
    ]);
    const calm = await newest(it);
    expect(checkOf(calm, 'quality')).toMatchObject({ state: 'ok', days: 3, version: 1 });
    expect(checkOf(calm, 'traffic')).toMatchObject({ state: 'ok', value: 48, reference: 48 });
    expect(checkOf(calm, 'labels')).toMatchObject({ state: 'ok', value: 1, subject: 'late' });
    expect(checkOf(calm, 'drift')).toMatchObject({ state: 'no_data', subject: '*' });
    expect(calm.versions).toMatchObject([{ model: 'late', version: 1, requests: 48, errors: 0 }]);
    const { references } = await it.api.call(getMonitor, { params: { monitor: 'late' } });
    expect(references).toMatchObject([{ version: 1, metric: 'auc', days: 4 }]);

    const headers = { host: '127.0.0.1' };
    const metrics = (await it.app.http.inject({ url: '/metrics', headers })).body;
    expect(metrics).toMatch(
      /millwright_performance\{monitor="late",version="1",metric="auc"\} 0\.[6-9]/,
    );
    expect(metrics).toContain('millwright_label_coverage_ratio{monitor="late",label="late"} 1');
    expect(metrics).toContain('millwright_monitor_status{monitor="late"} 3');

    await tellsDays(it);

    await play(it, { from: 8, until: 10, step: 6, isSilent: true });
    const silent = await newest(it);
    expect(silent.state).toBe('alert');
    expect(checkOf(silent, 'label_silence')).toMatchObject({
      state: 'alert',
      since: '2001-03-08T21:00:00Z',
    });
    const told = await events.list({ subject: 'monitor/late', limit: 100 });
    const fired = told.filter(({ kind }) => kind === 'alert.fired');
    expect(fired.map(({ data }) => data['finding'])).toEqual([
      { kind: 'label_silence', version: null, subjects: ['late'] },
    ]);
    expect(fired[0]!.data['alert']).toMatchObject({
      status: 'firing',
      labels: { alertname: 'millwright_label_silence', monitor: 'late' },
      endsAt: '0001-01-01T00:00:00Z',
    });
    expect(told.find(({ kind }) => kind === 'monitor.evaluated')!.data).toMatchObject({
      evaluation: silent.id,
      state: 'alert',
      versions: ['late@1'],
    });

    await play(it, { from: 10, until: 12, step: 6 });
    const after = await events.list({ subject: 'monitor/late', limit: 100 });
    expect(
      after.filter(({ kind }) => kind === 'alert.resolved').map(({ data }) => data['finding']),
    ).toEqual([{ kind: 'label_silence', version: null, subjects: ['late'] }]);
  },
);

test('finds the same whatever the steps of the clock are', { timeout: 120_000 }, async () => {
  await using hourly = await open();
  await using coarse = await open();
  await play(hourly, { from: 0, until: 8, step: 1 });
  await play(coarse, { from: 0, until: 8, step: 6 });
  const [one, other] = [await newest(hourly), await newest(coarse)];
  expect(one.checks).toEqual(other.checks);
  expect(one.checks.length).toBeGreaterThan(5);
});

test('is declared, changed, run by hand and removed', async () => {
  await using it = await open();
  await expect(apply(it, { lat: {} })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: 'There is no endpoint lat.',
    hint: 'Did you mean late?',
    details: { path: ['monitors', 'lat'] },
  });
  await expect(apply(it, { late: { quality: { wndow: '3d' } } })).rejects.toMatchObject({
    hint: 'Did you mean window?',
    details: { path: ['monitors', 'late', 'quality', 'wndow'] },
  });
  const monitors = { late: { auto: false, quality: { window: '5d' } } };
  const body = { declared: { ...DECLARED, monitors } };
  const { changes } = await it.api.call(planDeclared, { body });
  expect(changes).toMatchObject([{ action: 'change', kind: 'monitor', name: 'late' }]);
  expect(changes[0]!.summary).toBe(
    'auto true → false, quality.window 3d → 5d, quality.drop 0.05 → 0.02',
  );
  await apply(it, monitors);
  expect(await apply(it, monitors)).toMatchObject({ changes: [] });
  await it.api.call(advanceClock, { body: { to: instant(BEGINS + 3.5 * DAY_MS) } });
  expect(await evaluations(it)).toEqual([]);

  const params = { monitor: 'late' };
  const [found, same] = await Promise.all([
    it.api.call(runMonitor, { params, body: {} }),
    it.api.call(runMonitor, { params, body: {} }),
  ]);
  expect(same.id).toBe(found.id);
  expect(found).toMatchObject({ at: '2001-03-04T00:00:00Z', versions: [] });
  expect(checkOf(found, 'traffic')).toMatchObject({ state: 'no_data' });
  expect((await it.api.call(runMonitor, { params, body: {} })).id).toBe(found.id);
  const earlier = { at: '2001-03-02T00:00:00Z' };
  await expect(it.api.call(runMonitor, { params, body: earlier })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });

  await apply(it, {});
  expect((await it.api.call(listMonitors, { query: {} })).items).toEqual([]);
  await expect(it.api.call(getMonitor, { params })).rejects.toMatchObject({
    code: 'MONITOR_NOT_FOUND',
  });
});
