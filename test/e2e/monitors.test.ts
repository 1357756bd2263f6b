import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { advanceClock, applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { busyFixture, emptyFixture, event } from './fixture-data.ts';
import { loopFixture } from './fixture-loop.ts';
import { manyMonitors, monitorsFixture, type MonitorsFixture } from './fixture-monitors.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const NONE: MonitorsFixture = { ...monitorsFixture(), monitors: [], evaluations: [] };

/** Charts load when they are first drawn, and the machine may be busy. */
const LOADED_MS = 10_000;

const web = new WebPages();

function show(monitors: MonitorsFixture): void {
  const fixture =
    monitors === NONE ? emptyFixture() : busyFixture({ endpoints: 1, predictions: 9, events: 3 });
  web.server.show({ ...fixture, watch: { monitors, loop: loopFixture() } });
}

describe('the list of monitors', () => {
  it('says how to declare the first one', async () => {
    show(NONE);
    const page = await web.open('/monitors');
    await page.getByText('No monitor is declared').waitFor();
    await page.getByText('millwright apply').waitFor();
    await picture(page, 'monitors-empty');
  });

  it('counts by state, and leads from each finding to what is behind it', async () => {
    show(monitorsFixture());
    const page = await web.open('/monitors');
    const late = page.getByRole('row', { name: /^late / });
    expect(await late.first().innerText()).toMatch(/late\s+alert\s+1\s+1\s+0\s+0/);
    await page.getByRole('cell', { name: 'not evaluated yet' }).first().waitFor();
    const found = page.getByRole('table', { name: 'Needs a look' });
    await found.getByText('62 % of 11374 mature requests').waitFor();
    await picture(page, 'monitors');
    const behind = found.getByRole('link', { name: 'Requests behind labels of late' });
    expect(await behind.getAttribute('href')).toMatch(
      /^\/trace\?endpoint=late&from=2001-05-23T00%3A00%3A00Z&until=2001-05-24/,
    );
    await late.first().getByRole('link', { name: '1', exact: true }).first().click();
    await page.waitForURL('**/monitors/late?show=alert');
  });

  it('stays usable with hundreds of them', async () => {
    show(manyMonitors(300));
    const page = await web.open('/monitors');
    await page.getByText('1–25 of 200 read so far').waitFor();
    await page.getByLabel('Filter Health').fill('endpoint_19');
    await expect.poll(() => rows(page, 'Health')).toBe(11);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  it('shows a new evaluation as soon as it is made', async () => {
    show(NONE);
    const page = await web.open('/monitors');
    await page.getByText('No monitor is declared').waitFor();
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    show(monitorsFixture());
    web.server.emit({ ...event(11, ['late']), subject: 'monitor/late', kind: 'monitor.evaluated' });
    await page
      .getByRole('row', { name: /^late / })
      .first()
      .waitFor();
  });
});

describe('one monitor', () => {
  it('tells quality by version with label coverage and what labels may still change', async () => {
    show(monitorsFixture());
    const page = await web.open('/monitors/late');
    const section = page.getByRole('region', { name: 'Quality over domain time' });
    const chart = section.getByRole('img', { name: /^Quality of late/ });
    expect(await chart.getAttribute('aria-label')).toMatch(
      /auc over 7 days: v1 0.745 \(0.72 to 0.77\) until 2001-05-21; v2: too few labelled days/,
    );
    await chart.locator('canvas').waitFor();
    const table = section.getByRole('table', { name: 'Quality of late by day' });
    expect(await table.innerText()).toMatch(/2001-05-23\s+v1\s+1,637\s+may still come/);
    await page
      .getByRole('img', { name: /^Distance of/ })
      .locator('canvas')
      .waitFor();
    await picture(page, 'monitor');
    await table.getByRole('link', { name: '2001-05-20' }).click();
    await page.waitForURL(/\/trace\?endpoint=late&from=.*2001-05-20.*version=1/);
  });

  it('draws a column beside its training rows, of a day in the address', async () => {
    show(monitorsFixture());
    const page = await web.open('/monitors/late?column=distance&version=1&day=2001-05-21');
    const section = page.getByRole('region', { name: 'A column against its training rows' });
    await section
      .getByText(/^distance 0\.2482; without drift it stays below 0\.06.*it moved/)
      .waitFor();
    await section.getByRole('img', { name: /^Distribution of distance: 2001-05-21/ }).waitFor();
    const days = section.getByRole('table', { name: 'Days of distance' });
    await days.getByRole('button', { name: '2001-05-18' }).click();
    await page.waitForURL('**day=2001-05-18**');
    await section.getByRole('heading', { name: 'distance, 2001-05-18' }).waitFor();
    await section.getByRole('combobox', { name: 'Column' }).click();
    await page.getByRole('option', { name: 'origin', exact: true }).click();
    await page.waitForURL(/column=origin/);
    await section.getByRole('img', { name: /^Distribution of origin/ }).waitFor();
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      section.getByRole('button', { name: 'Save Distribution of origin as CSV' }).click(),
    ]);
    expect(await readFile(await csv.path(), 'utf8')).toContain('<b>LAX</b>');
  });

  it('explains a changed unit in words, and lists alerts that are over', async () => {
    show(monitorsFixture());
    const page = await web.open('/monitors/late');
    const units = page.getByRole('region', { name: 'Changed units' });
    expect(await units.innerText()).toMatch(
      /distance became × 1\.609.*over.*From 2001-05-20 06:00:00Z until 2001-05-23.*trained on the former unit/s,
    );
    const alerts = page.getByRole('table', { name: 'Alerts' });
    const unit = alerts.getByRole('row', { name: /unit change of distance/ });
    expect(await unit.innerText()).toMatch(/over\s+unit change of distance.*miles to kilometres/s);
    expect(await alerts.getByRole('row', { name: /origin_delays__late_30d/ }).innerText()).toMatch(
      /^fires/,
    );
    await unit.getByRole('link').click();
    await page.getByRole('heading', { name: 'Evaluation of late' }).waitFor();
    await page.getByText('Everything looked at').waitFor();
    await picture(page, 'evaluation');
  });

  it('narrows findings to a state by a number, in an address that can be shared', async () => {
    show(monitorsFixture(40));
    const page = await web.open('/monitors/late?show=ok');
    await page.getByRole('table', { name: 'Findings: ok' }).waitFor();
    await expect.poll(() => rows(page, 'Findings: ok')).toBe(20);
    await page
      .getByRole('region', { name: 'Health' })
      .getByRole('link', { name: '0', exact: true })
      .first()
      .click();
    await page.getByText(/^None of the 44 things looked at/).waitFor();
    await page.getByRole('button', { name: 'Show everything that is not ok' }).click();
    await page.getByRole('table', { name: 'Findings', exact: true }).waitFor();
    await expect.poll(() => rows(page, 'Findings')).toBe(2);
  });

  it('evaluates when asked, and says when it never was', async () => {
    show(monitorsFixture());
    const page = await web.open('/monitors/churn');
    await page.getByText('The first evaluation comes at').waitFor();
    await page.getByRole('button', { name: 'Evaluate now' }).click();
    await page.getByRole('status').getByText('evaluated as of 2001-05-24').waitFor();
    await page.goto(`${web.server.url}/monitors/gone`);
    await page.getByRole('alert').getByText('MONITOR_NOT_FOUND').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });
});

it('fits monitors on a narrow screen, and in the dark', async () => {
  show(monitorsFixture());
  const { id } = monitorsFixture().evaluations[1]!;
  for (const [url, name] of [
    ['/monitors', 'monitors-narrow'],
    ['/monitors/late', 'monitor-narrow'],
    [`/monitors/late/evaluations/${id}`, 'evaluation-narrow'],
  ] as const) {
    const page = await web.open(url, { size: NARROW, scheme: 'dark' });
    await page.getByRole('table').first().waitFor();
    await expect.poll(() => page.getByLabel('Loading').count(), { timeout: LOADED_MS }).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, name);
  }
});

it('reaches monitors, a finding and its evaluation by keyboard alone', async () => {
  show(monitorsFixture());
  const page = await web.open('/');
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  // The address changes before the page does, and the page left behind links to late as well.
  await page.getByRole('heading', { name: 'Monitors', exact: true }).waitFor();
  await page.getByRole('link', { name: 'late', exact: true }).first().press('Enter');
  await page.getByRole('heading', { name: 'Monitor late' }).waitFor();
  await page.getByRole('link', { name: 'Evaluation that found labels of late' }).press('Enter');
  await page.getByRole('table', { name: 'Checks' }).waitFor();
});

describe('with the real server', () => {
  let app: TestApp;
  let origin: string;

  beforeEach(async () => {
    app = await createTestApp({ name: 'flights', clock: 'replay' });
    origin = await app.app.listen(0);
  });

  afterEach(async () => {
    // A page that outlives its server complains.
    await web.close();
    await app[Symbol.asyncDispose]();
  });

  async function declare(): Promise<void> {
    const to = { to: '2001-03-01T00:00:00Z' };
    await app.api.call(advanceClock, { body: to });
    const bytes = versionModel({ version: 1 });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    const params = { endpoint: 'late' };
    await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
    await app.api.call(deploy, { params, body: { version: 1 } });
    const declared = {
      endpoints: { late: { model: 'late', key: 'flight' } },
      monitors: { late: {} },
      loops: { late: { pipeline: 'train', triggers: ['quality'] } },
    };
    await app.api.call(applyDeclared, { body: { declared } });
  }

  async function ask(flight: string): Promise<void> {
    const input = { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] };
    const body = JSON.stringify({ parameters: { flight }, inputs: [input] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/v2/models/late/infer`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
  }

  it('follows a monitor from its declaration to a finding and the requests behind it', async () => {
    const page = await web.open('/monitors', { origin });
    await page.getByText('No monitor is declared').waitFor();
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await declare();
    await page.getByRole('cell', { name: 'not evaluated yet' }).waitFor();
    await ask('WN1');
    await app.api.call(advanceClock, { body: { to: '2001-03-02T00:00:00Z' } });
    await page.getByRole('table', { name: 'Health' }).getByRole('link', { name: 'late' }).click();
    const findings = page.getByRole('table', { name: 'Findings' });
    await findings.getByText('No label is declared').waitFor();
    await page.getByText('Nobody tells what came of the answers').waitFor();
    await picture(page, 'real-monitor');
    await findings.getByRole('link', { name: /^Requests behind labels/ }).click();
    await page.getByRole('link', { name: /^req_/ }).click();
    await page.getByRole('region', { name: 'Routing' }).waitFor();
  });

  it('stops a loop with a reason, which stands as a decision', async () => {
    await declare();
    const page = await web.open('/loop', { origin });
    await page.getByText('No evaluation of its monitor yet').waitFor();
    await page.getByText('Nothing was decided yet').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    const dialog = page.getByRole('dialog', { name: 'Stop late' });
    await dialog.getByLabel('Reason').fill('the source moves');
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByRole('link', { name: /^Decision / }).click();
    await page.getByRole('heading', { name: /^Decision / }).waitFor();
    await page.getByText(/^Stopped by .*: the source moves/).waitFor();
    await page.getByRole('link', { name: 'All decisions of late' }).click();
    await page.getByRole('row', { name: /stopped.*the source moves/ }).waitFor();
    await picture(page, 'real-loop');
  });
});
