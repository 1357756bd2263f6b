import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { formatInstant, micros, MICROS_PER_SECOND, parseInstant } from '../../src/base/time.ts';
import { buildTrainingSet } from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { picture, WebPages } from './web-pages.ts';

/** Runs, models and features on the real server, filled the way programs fill it. */

const web = new WebPages();
/** The page follows what happens within seconds; the machine may be busy. */
const LIVE_MS = 20_000;
let app: TestApp;
let origin: string;

beforeEach(async () => {
  app = await createTestApp({ name: 'flights' });
  origin = await app.app.listen(0);
});

afterEach(async () => {
  // A page that outlives its server complains.
  await web.close();
  await app[Symbol.asyncDispose]();
});

/** A call of MLflow's own API, as its clients make it. */
async function mlflow(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${origin}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

/** Starts a run of experiment `late`; returns its id as MLflow has it. */
async function startRun(name: string, metrics: readonly number[]): Promise<string> {
  const wall = Math.floor(app.clock.wall() / 1000);
  const { run } = (await mlflow('runs/create', {
    experiment_id: '0',
    run_name: name,
    user_id: 'ana',
    start_time: wall,
    tags: [
      { key: 'millwright.command', value: 'python train.py --epochs 3' },
      { key: 'millwright.code_tree', value: 'ab'.repeat(20) },
      {
        key: 'millwright.tables',
        value: JSON.stringify([{ table: 'default.landings', version: 1 }]),
      },
    ],
  })) as { run: { info: { run_id: string } } };
  const id = run.info.run_id;
  await mlflow('runs/log-batch', {
    run_id: id,
    metrics: ['auc', 'val/auc 1'].flatMap((key) =>
      metrics.map((value, step) => ({ key, value, step, timestamp: wall + step })),
    ),
    params: [{ key: 'learning rate', value: String(0.1 / metrics.length) }],
  });
  return id;
}

it('shows a run as it goes on, then its files, and finds it by its metric', async () => {
  const page = await web.open('/runs', { origin });
  await page.getByText('Nothing was tracked yet').waitFor();
  await page.getByRole('status', { name: /Connection: live/ }).waitFor();
  const id = await startRun('gentle-otter', [0.6, 0.7, 0.77]);
  await startRun('odd-lynx', [0.55, 0.61]);
  await page.getByRole('row', { name: /gentle-otter/ }).waitFor({ timeout: LIVE_MS });

  await page.getByLabel('Search runs').fill('metrics.auc > 0.7');
  await page.getByLabel('Search runs').press('Enter');
  await page.getByRole('row', { name: /odd-lynx/ }).waitFor({ state: 'detached' });
  await page.getByLabel('Search runs').fill('lynx');
  await page.getByLabel('Search runs').press('Enter');
  await page.getByRole('row', { name: /odd-lynx/ }).waitFor();
  await page.goto(`${origin}/runs`);
  const sort = page.getByRole('columnheader', { name: 'learning rate' }).getByRole('button');
  await sort.click();
  await page.waitForURL(/order=params/);
  const first = page.getByRole('table', { name: 'Runs' }).locator('tbody tr').first();
  await expect.poll(() => first.innerText()).toContain('gentle-otter');
  await sort.click();
  await expect.poll(() => first.innerText()).toContain('odd-lynx');
  await picture(page, 'real-runs');

  await page.getByRole('link', { name: 'gentle-otter' }).click();
  await page.getByText('python train.py --epochs 3').first().waitFor();
  await page.getByText('3 values; least 0.6, most 0.77').waitFor();
  await page.getByRole('button', { name: 'val/auc 1' }).click();
  await page.getByRole('img', { name: /^val\/auc 1: by step; 3 values/ }).waitFor();
  const report = JSON.stringify({ auc: 0.77, for: 'ORD' });
  const uploaded = await fetch(
    `${origin}/api/2.0/mlflow-artifacts/artifacts/0/${id}/artifacts/out/report.json`,
    { method: 'PUT', body: report },
  );
  expect(uploaded.status).toBe(200);
  await mlflow('runs/update', {
    run_id: id,
    status: 'FINISHED',
    end_time: Math.floor(app.clock.wall() / 1000) + 48_000,
  });
  await page.getByText('48 s', { exact: true }).waitFor({ timeout: LIVE_MS });
  await page.getByRole('link', { name: 'Folder out' }).click();
  await page.getByRole('link', { name: 'File report.json' }).click();
  await page.getByText('"auc": 0.77').waitFor();
  await picture(page, 'real-run');
});

it('says what is wrong with a filter in the words of the grammar', async () => {
  await startRun('gentle-otter', [0.6]);
  const page = await web.open('/runs?filter=metrics.auc%20%3E%20high', { origin });
  await page.getByRole('alert').getByText('INVALID_INPUT').waitFor();
  await page.getByText(/Expected numeric value/).waitFor();
  web.forgive(/400 \(Bad Request\)/);
});

it('leads from a version to its run and to what serves it', async () => {
  const id = await startRun('gentle-otter', [0.7]);
  const params = { endpoint: 'late' };
  const query = { run: `run_${id}` };
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query }, { bytes });
  await app.api.call(putEndpoint, { params, body: { model: 'late' } });
  const page = await web.open('/models', { origin });
  await page.getByRole('row', { name: /^late v1 late nothing deployed/ }).waitFor();
  await page.getByRole('status', { name: /Connection: live/ }).waitFor();
  await app.api.call(deploy, { params, body: { version: 1 } });
  await page.getByRole('row', { name: /^late v1 late v1/ }).waitFor({ timeout: LIVE_MS });
  await page.getByRole('link', { name: 'v1' }).click();
  const lineage = page.getByRole('region', { name: 'Lineage' });
  await lineage.getByRole('link', { name: 'late', exact: true }).waitFor();
  await picture(page, 'real-version');
  await lineage.getByRole('link', { name: /^run_/ }).click();
  await page.waitForURL(`**/runs/run_${id}`);
  await page.getByRole('link', { name: 'late v1' }).first().waitFor();
});

describe('with features', () => {
  const START = parseInstant('2001-01-01T00:00:00Z')!;
  const HOUR = 3600 * MICROS_PER_SECOND;

  async function append(name: string, rows: readonly object[]): Promise<void> {
    const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'));
    const params = { namespace: 'default', name };
    await app.api.call(appendRows, { params, query: {} }, { bytes });
  }

  /** A flight an hour for two months, every third one late. */
  async function loadFlights(): Promise<void> {
    for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
      const body = { namespace: 'default', name, columns: [...columns] };
      await app.api.call(createTable, { body });
    }
    const at = (hours: number): string => formatInstant(micros(START + hours * HOUR));
    const flights = Array.from({ length: 59 * 24 }, (_, id) => ({
      flight_id: id,
      origin: id % 2 === 0 ? 'ORD' : 'JFK',
      destination: 'LGA',
    }));
    await append('airports', [
      { iata: 'ORD', zone: 'America/Chicago' },
      { iata: 'JFK', zone: 'America/New_York' },
    ]);
    await append(
      'departures',
      flights.map((flight) => ({
        ...flight,
        departed_at: at(flight.flight_id),
        distance: 700 + flight.flight_id,
      })),
    );
    await append(
      'landings',
      flights.map((flight) => ({
        ...flight,
        landed_at: at(flight.flight_id + 1),
        delay: flight.flight_id % 3 === 0 ? 40 : -5,
        late: flight.flight_id % 3 === 0,
      })),
    );
  }

  it('goes from a declaration to a vector and to a training set', async () => {
    await loadFlights();
    const page = await web.open('/features', { origin });
    await page.getByText('No feature is declared yet').waitFor();
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await app.api.call(applyDeclared, { body: { declared: flightSections() } });
    await page.getByRole('link', { name: 'late_v1' }).first().waitFor({ timeout: LIVE_MS });
    await page.getByText('ready').first().waitFor({ timeout: LIVE_MS });
    await picture(page, 'real-features');

    await page.getByRole('link', { name: 'late_v1' }).first().click();
    await page.getByRole('textbox', { name: 'origin' }).fill('ORD');
    await page.getByRole('textbox', { name: 'destination' }).fill('LGA');
    await page.getByRole('textbox', { name: 'distance' }).fill('733');
    await page.getByLabel('As of').fill('2001-02-25T00:00:00Z');
    await page.keyboard.press('Enter');
    const vector = page.getByRole('table', { name: 'Vector of late_v1' });
    const count = vector.getByRole('row', { name: /^origin_delays__n_1d / });
    expect(await count.innerText()).toMatch(/\t12\t/);
    await picture(page, 'real-service');

    await page.goto(`${origin}/features/training-sets/late_train`);
    await page.getByText('It was never built').waitFor();
    const range = { from: '2001-01-31T00:00:00Z', until: '2001-02-19T00:00:00Z' };
    const built = await app.api.call(buildTrainingSet, {
      params: { name: 'late_train' },
      body: range,
    });
    await page.getByRole('link', { name: 'v1', exact: true }).click({ timeout: LIVE_MS });
    await page.getByText(built.rows.toLocaleString('en-US')).first().waitFor();
    await page.getByText('Every value is 1.').waitFor();
    await page.getByRole('button', { name: 'origin_delays__late_2h' }).click();
    await page.locator('canvas').waitFor();
    await page.getByRole('region', { name: 'Lineage' }).getByText('late_train v1').waitFor();
    await picture(page, 'real-training-version');
  });
});
