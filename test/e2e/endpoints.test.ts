import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { listPredictions } from '../../src/capabilities/predictions/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, listRevisions, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { busyFixture, replayFixture } from './fixture-data.ts';
import { underGuard } from './fixture-story.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const FEW = busyFixture({ endpoints: 3, predictions: 60, events: 10 });
const LOTS = busyFixture({ endpoints: 50, predictions: 0, events: 0 });

const web = new WebPages();

describe('the list of endpoints', () => {
  it('says how to create the first one', async () => {
    const page = await web.open('/endpoints');
    await page.getByText('There is no endpoint yet').waitFor();
    await page.getByText('millwright endpoints create NAME --model NAME').waitFor();
    await picture(page, 'endpoints-empty');
  });

  it('leads from each to its page, from its revision to what that says', async () => {
    web.server.show(FEW);
    const page = await web.open('/endpoints');
    await page.locator('canvas').waitFor();
    await picture(page, 'endpoints');
    await page
      .getByRole('row', { name: /^late / })
      .getByRole('link', { name: '3', exact: true })
      .click();
    await page.waitForURL('**/endpoints/late?revision=3');
    await page.getByRole('region', { name: 'Revision 3' }).waitFor();
  });

  it('stays usable with many of them', async () => {
    web.server.show(LOTS);
    const page = await web.open('/endpoints');
    await page.getByRole('table', { name: 'Endpoints' }).waitFor();
    expect(await rows(page, 'Endpoints')).toBe(25);
    await page.getByLabel('Filter Endpoints').fill('eta_5');
    await expect.poll(() => rows(page, 'Endpoints')).toBe(1);
  });
});

describe('one endpoint', () => {
  it('tells how far a rollout is, what was found, and what happens next', async () => {
    web.server.show({ ...FEW, story: underGuard(FEW.story) });
    const page = await web.open('/endpoints/late');
    const rollout = page.getByRole('region', { name: 'Rollout: v4 is under guard' });
    expect(await rollout.innerText()).toMatch(
      /2,114 of 4,000.*1 d 6 h of 2 d.*better by \+0\.0042 in log_loss, bounds −0\.0121 and \+0\.0205 \(95 % each\), on 1,804 labelled requests of 2 days; upper bound at 99\.9 %: \+0\.0511/s,
    );
    expect(await rollout.innerText()).toMatch(/Next look at .*goes back to v2 at once when/s);
    const requests = rollout.getByRole('progressbar', { name: 'Requests that the guard wants' });
    expect(Number(await requests.getAttribute('aria-valuenow'))).toBeCloseTo(52.85);
    await picture(page, 'endpoint-guard');
    await rollout.getByRole('link', { name: 'Decisions of loop late' }).click();
    await page.waitForURL('**/loop?loop=late&instance=li_4');
  });

  it('tells who answers, what was answered before, and who decided that', async () => {
    web.server.show(FEW);
    const page = await web.open('/endpoints/late');
    const serving = page.getByRole('table', { name: 'Serving' });
    expect(await serving.innerText()).toMatch(/late v2\s+blue\s+100 %.*the main process/s);
    expect(await serving.innerText()).toMatch(/late v3\s+held for a rollback\s+0 %/s);
    const past = page.getByRole('img', { name: /^late requests by version/ });
    expect(await past.getAttribute('aria-label')).toMatch(/by day: v1 [\d,]+, v2 [\d,]+, v3/);
    await past.locator('canvas').waitFor();
    const revisions = page.getByRole('table', { name: 'Route revisions' });
    expect(await revisions.innerText()).toMatch(/ana\s+back to 1\s*support tickets/s);
    await page.getByText('hash chain intact').waitFor();
    await picture(page, 'endpoint');
  });

  it('draws latency and errors too, and keeps the choice in the address', async () => {
    web.server.show(FEW);
    const page = await web.open('/endpoints/late?measure=p99&by=arm&days=28');
    await page.getByRole('img', { name: /^late p99 by arm/ }).waitFor();
    await page.getByRole('radiogroup', { name: 'Measure' }).getByText('Errors').click();
    await page.waitForURL('**/endpoints/late?*measure=errors*');
    await page
      .getByRole('img', { name: /^late errors by arm/ })
      .locator('canvas')
      .waitFor();
    await picture(page, 'endpoint-errors');
  });

  it('leads from a day to its requests, which can be widened again', async () => {
    web.server.show(FEW);
    const page = await web.open('/endpoints/late');
    const days = page.getByRole('table', { name: 'Days' });
    await days.locator('tbody tr').first().getByRole('link').first().click();
    await page.waitForURL('**/trace?endpoint=late&from=*&until=*&version=2');
    const requests = page.getByRole('table', { name: 'Requests of late' });
    await requests.waitFor();
    await page.getByRole('button', { name: 'Show requests not only v2' }).click();
    await page.waitForURL((url) => !url.search.includes('version'));
    await page.goto(`${web.server.url}/trace?endpoint=late&failed=true`);
    await page.getByRole('button', { name: 'Show requests not only failed' }).waitFor();
    await requests.waitFor();
    expect(await rows(page, 'Requests of late')).toBe(3);
    await page.goto(`${web.server.url}/trace?endpoint=late&until=2020-01-01T00:00:00Z`);
    await page.getByText('No request is like that').waitFor();
  });

  it('hands its days out as CSV, and the picture as PNG', async () => {
    web.server.show(FEW);
    const page = await web.open('/endpoints/late');
    await page.locator('canvas').nth(1).waitFor();
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save late requests by version as CSV' }).click(),
    ]);
    const lines = (await readFile(await csv.path(), 'utf8')).trimEnd().split('\r\n');
    expect(lines[0]).toBe('day (domain clock),arm,version,requests,errors,p50 us,p99 us');
    expect(lines.length).toBeGreaterThan(60);
    const [png] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save late requests by version as PNG' }).click(),
    ]);
    expect((await readFile(await png.path())).subarray(1, 4).toString()).toBe('PNG');
  });

  it('shows days of the domain clock where that is another one', async () => {
    web.server.show(replayFixture());
    const page = await web.open('/endpoints/late');
    const first = page.getByRole('table', { name: 'Days' }).locator('tbody tr').first();
    expect(await first.innerText()).toContain('2001-03-01');
    await picture(page, 'endpoint-replay');
  });

  it('explains an endpoint that is not there, and one without a version', async () => {
    const endpoints = FEW.endpoints.map((one) => ({ ...one, route: null, warm: [] }));
    web.server.show({ ...FEW, endpoints, revisions: [] });
    const page = await web.open('/endpoints/late');
    await page.getByText('Nothing is deployed here yet').waitFor();
    await page.getByText('millwright deploy late@1').waitFor();
    expect(await page.getByRole('button', { name: /Roll back/ }).count()).toBe(0);
    await page.goto(`${web.server.url}/endpoints/nothing`);
    await page.getByRole('alert').getByText('ENDPOINT_NOT_FOUND').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });

  it('fits a narrow screen and the dark, and is used by keyboard', async () => {
    web.server.show(FEW);
    const narrow = await web.open('/endpoints/late', { size: NARROW });
    await narrow.getByRole('table', { name: 'Days' }).waitFor();
    await narrow.locator('canvas').nth(1).waitFor();
    expect(await overflow(narrow)).toBeLessThanOrEqual(0);
    await picture(narrow, 'endpoint-narrow');
    const page = await web.open('/', { scheme: 'dark' });
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForURL('**/endpoints');
    await page.getByRole('link', { name: 'churn', exact: true }).press('Enter');
    await page.waitForURL('**/endpoints/churn');
    await page.getByText('Nothing was answered in these days').waitFor();
    await page.getByRole('button', { name: 'Roll back…' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('by keyboard');
    expect(await page.getByLabel('Reason').inputValue()).toBe('by keyboard');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.goto(`${web.server.url}/endpoints/late`);
    await page.locator('canvas').nth(1).waitFor();
    await picture(page, 'endpoint-dark');
  });
});

describe('with the real server', () => {
  let app: TestApp;
  let origin: string;
  const params = { endpoint: 'late' };

  beforeEach(async () => {
    app = await createTestApp({ name: 'flights' });
    origin = await app.app.listen(0);
    for (const version of [1, 2]) {
      const bytes = versionModel({ version });
      await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    }
    await app.api.call(putEndpoint, { params, body: { model: 'late' } });
    for (const version of [1, 2]) await app.api.call(deploy, { params, body: { version } });
  });

  afterEach(async () => {
    // A page that outlives its server complains.
    await web.close();
    await app[Symbol.asyncDispose]();
  });

  async function newest() {
    const page = await app.api.call(listRevisions, { params, query: {} });
    return page.items[0]!;
  }

  it('leads from a day in the log to the request that was answered then', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }];
    const answer = await fetch(`${origin}/v2/models/late/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    expect(answer.status).toBe(200);
    // Asking for a part of the log puts what waits into its table.
    await app.api.call(listPredictions, { params, query: { version: 2 } });
    const page = await web.open('/endpoints/late', { origin });
    const day = page.getByRole('table', { name: 'Days' }).locator('tbody tr').first();
    expect(await day.innerText()).toMatch(/2001-03-01\s+v2\s+green\s+1\s+0/);
    await day.getByRole('link', { name: '1', exact: true }).click();
    const id = answer.headers.get('x-request-id') ?? '';
    await page.getByRole('link', { name: id }).waitFor();
    await page.goto(origin);
    const chart = page.getByRole('img', { name: /^What happened to late/ });
    expect(await chart.getAttribute('aria-label')).toMatch(/v2 1 request; 2 decisions/);
  });

  it('goes through a drill from the page, and shows it as one', async () => {
    const page = await web.open('/endpoints/late', { origin });
    await page.getByRole('button', { name: 'Drill…' }).click();
    await page.getByLabel('Reason').fill('monthly');
    await page.getByRole('button', { name: 'Start the drill' }).click();
    await page.getByText('drill: 2 again').waitFor();
    await page.getByText('drill: 1 again').waitFor();
    expect(await newest()).toMatchObject({ revision: 4, isDrill: true, reason: 'monthly' });
    await picture(page, 'real-drill');
  });

  it('rolls back from the page with a reason, unless the route has moved on', async () => {
    const page = await web.open('/endpoints/late', { origin });
    await page.getByRole('button', { name: 'Roll back…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/Publishes the arms of revision 1 \(blue v1 100 %\)/).waitFor();
    const submit = dialog.getByRole('button', { name: 'Roll back' });
    expect(await submit.isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('support tickets');
    await picture(page, 'real-rollback');
    await submit.click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('back to 1').waitFor();
    expect(await newest()).toMatchObject({ revision: 3, restores: 1, reason: 'support tickets' });

    await page.getByRole('button', { name: 'Roll back to revision 2' }).click();
    await dialog.getByLabel('Reason').fill('again');
    await app.api.call(deploy, { params, body: { version: 2 } });
    await page.getByText('in force').waitFor();
    await page.getByRole('cell', { name: '4', exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await dialog.getByText('STALE_REVISION').waitFor();
    await picture(page, 'real-stale');
    expect((await newest()).revision).toBe(4);
    web.forgive(/409/);
  });
});
