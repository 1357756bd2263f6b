import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { busyFixture, emptyFixture, event, replayFixture, requestId } from './fixture-data.ts';
import { runId } from './fixture-runs.ts';
import { withFeatures } from './fixture-trace.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const FEW = busyFixture({ endpoints: 3, predictions: 60, events: 40 });
const LOTS = busyFixture({ endpoints: 50, predictions: 500, events: 1000 });

const web = new WebPages();

describe('the overview', () => {
  it('tells a new user which commands lead to the first prediction', async () => {
    const page = await web.open('/');
    await page.getByText('Nothing is served here yet').waitFor();
    const steps = page.getByRole('region', { name: 'First steps' });
    for (const command of [
      'millwright models register NAME FILE.onnx',
      'millwright endpoints create NAME --model NAME',
      'millwright deploy NAME@1',
      `curl ${web.server.url}/v2/models/NAME/infer`,
    ]) {
      await steps.getByText(command).waitFor();
    }
    await page.getByText('Everything is well').waitFor();
    await steps.getByRole('button', { name: 'Copy millwright deploy NAME@1' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('millwright deploy NAME@1');
    await picture(page, 'overview-empty');
  });

  it('goes on with the names that exist once a model is registered', async () => {
    const { models, endpoints } = busyFixture({ endpoints: 1, predictions: 0, events: 0 });
    web.server.show({
      ...emptyFixture(),
      models,
      endpoints: endpoints.map((it) => ({ ...it, route: null, warm: [] })),
    });
    const page = await web.open('/');
    await page.getByText('2 of 4 done').waitFor();
    await page.getByText('millwright deploy late@3').waitFor();
    await page.getByText(`curl ${web.server.url}/v2/models/late/infer`).waitFor();
  });

  it('shows what serves, and how', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    const churn = page.getByRole('row', { name: /^churn / });
    expect(await churn.innerText()).toMatch(/churn v2 blue 90 %\s+churn v3 green 10 %/);
    const chart = page.getByRole('img', { name: /Requests a second by version/ });
    expect(await chart.getAttribute('aria-label')).toMatch(/late v2 [\d,]+.*churn v3 [\d,]+/);
    await chart.locator('canvas').waitFor();
    expect(await page.getByRole('region', { name: 'First steps' }).count()).toBe(0);
    await picture(page, 'overview');
  });

  it('tells what happened on one axis of time, and what is to be done next', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    const chart = page.getByRole('img', { name: /^What happened to late/ });
    expect(await chart.getAttribute('aria-label')).toMatch(
      /v1 [\d,]+ requests, auc 0.\d+; v2 [\d,]+ requests.*; 12 decisions/,
    );
    await chart.locator('canvas').waitFor();
    const level = page.getByRole('region', { name: 'Level and next step' });
    expect(await level.innerText()).toMatch(
      /Level 1.*9 of 12.*Next: a rollback was exercised.*millwright rollback late --drill/s,
    );
    const alerts = page.getByRole('region', { name: 'Open alerts' });
    await alerts.getByRole('link', { name: /^late v2: missing origin_delays__late_2h/ }).waitFor();
    await picture(page, 'overview');
    await level.getByRole('link', { name: 'All checks' }).click();
    await page.waitForURL('**/?checks=true');
    const check = page.getByRole('row', { name: /^C8 / });
    await picture(page, 'overview-checks');
    await check.getByRole('link', { name: 'revision late@3' }).click();
    await page.waitForURL('**/endpoints/late?revision=3');
  });

  it('tells how the first version would have done, had it stayed', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    const note = page.getByRole('note', { name: 'Had v1 stayed' });
    await note.getByText('Better by +0.0081 (95 %: +0.0034 to +0.0128, as days differ)').waitFor();
    expect(await note.innerText()).toMatch(/auc 0\.7411, against 0\.7492.*scored offline/);
    await page.getByRole('combobox', { name: 'Version told of as if it had stayed' }).click();
    await page.getByRole('option', { name: 'only what was served' }).click();
    await page.waitForURL('**/?stayed=none');
    await expect.poll(() => page.getByRole('note').count()).toBe(0);
    await page.goto(`${web.server.url}/?stayed=2`);
    await page.getByRole('note', { name: 'Had v2 stayed' }).waitFor();
  });

  it('leads from a decision to what it rests on, and tells of another endpoint', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    const decisions = page.getByRole('list', { name: 'Newest decisions' });
    expect(
      await decisions.getByRole('link', { name: 'rolled back', exact: true }).getAttribute('href'),
    ).toBe('/loop/late/decisions/9');
    await decisions.getByRole('link', { name: 'route changed (revision 2)' }).click();
    await page.waitForURL('**/endpoints/late?revision=2');
    await page.goto(`${web.server.url}/?endpoint=churn`);
    await page.getByRole('img', { name: /^What happened to churn/ }).waitFor();
  });

  it('says how to watch what nothing watches', async () => {
    web.server.show({ ...FEW, story: { ...FEW.story, monitors: [], loops: [] } });
    const page = await web.open('/');
    await page.getByText('monitors: { late: { auto: true } }').waitFor();
    const chart = page.getByRole('img', { name: /^What happened to late/ });
    expect(await chart.getAttribute('aria-label')).toMatch(/v1 [\d,]+ requests; v2/);
    await page.getByText('Everything is well').waitFor();
  });

  it('leads from every number to the requests behind it', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    await page
      .getByRole('row', { name: /^churn / })
      .getByRole('link')
      .nth(2)
      .click();
    await page.waitForURL('**/trace?endpoint=churn');
    await page.goBack();
    const numbers = page.locator('main').getByRole('link', { name: /^[\d,.]+( µs)?$/ });
    expect(await numbers.count()).toBeGreaterThanOrEqual(6);
    for (const link of await numbers.all()) {
      expect(await link.getAttribute('href')).toMatch(/^\/(trace|endpoints\/\w+\?revision)/);
    }
  });

  it('says what is wrong and what that means', async () => {
    web.server.show({
      ...FEW,
      status: { ...FEW.status, engine: { state: 'broken', pid: null, restarts: 5 } },
      log: { ...FEW.log, lastFlushError: 'No space left on device.' },
    });
    const page = await web.open('/');
    const alert = page.getByRole('alert');
    await alert.getByText('3 things need attention').waitFor();
    expect(await alert.innerText()).toMatch(
      /The engine is broken.*No space left.*Nothing is lost.*1 alert of monitors/s,
    );
    await picture(page, 'overview-trouble');
  });

  it('stays usable with a thousand events and fifty endpoints', async () => {
    web.server.show(LOTS);
    const page = await web.open('/');
    await page.getByText('1–12 of 200 read so far').waitFor();
    for (let read = 400; read <= 1000; read += 200) {
      await page.getByRole('button', { name: 'Read older' }).click();
      await page.getByText(`of ${read.toLocaleString('en-US')}`).waitFor();
    }
    expect(await page.getByRole('button', { name: 'Read older' }).count()).toBe(0);
    await page.getByLabel('Filter Events').fill('endpoint/eta');
    await page.getByText('filtered from 1,000').waitFor();
    await expect.poll(() => rows(page, 'Endpoints')).toBe(25);
    await page.getByLabel('Filter Endpoints').fill('eta_5');
    await expect.poll(() => rows(page, 'Endpoints')).toBe(1);
    await picture(page, 'overview-lots');
  });

  it('keeps what is shown in the address, so that it can be shared', async () => {
    web.server.show(FEW);
    const page = await web.open('/?endpoint=churn&subject=endpoint%2Flate');
    const chart = page.getByRole('img', { name: /Requests a second by version/ });
    expect(await chart.getAttribute('aria-label')).not.toContain('late');
    const subjects = page.getByRole('table', { name: 'Events' }).locator('td:nth-child(4)');
    expect(new Set(await subjects.allInnerTexts())).toEqual(new Set(['endpoint/late']));
    await page.getByRole('button', { name: /Show events of everything/ }).click();
    await page.waitForURL('**/?endpoint=churn');
  });

  it('names the clock of a replay workspace on every page', async () => {
    web.server.show(replayFixture());
    const page = await web.open('/');
    await page.getByText('replay clock: 2001-03-01 06:00:00Z UTC').waitFor();
    await picture(page, 'overview-replay');
    await page.getByRole('link', { name: 'Trace' }).click();
    await page.getByRole('heading', { name: 'Recent requests' }).waitFor();
    await page.getByText('replay clock: 2001-03-01 06:00:00Z UTC').waitFor();
  });

  it('hands rows out as CSV and a chart as PNG', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    const events = page.getByRole('region', { name: 'Events' });
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      events.getByRole('button', { name: 'CSV', exact: true }).click(),
    ]);
    const lines = (await readFile(await csv.path(), 'utf8')).trimEnd().split('\r\n');
    expect(csv.suggestedFilename()).toBe('events.csv');
    expect(lines.length).toBe(41);
    await page.locator('canvas').nth(1).waitFor();
    const [png] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /Requests a second .* as PNG/ }).click(),
    ]);
    expect((await readFile(await png.path())).subarray(1, 4).toString()).toBe('PNG');
  });
});

describe('the trace', () => {
  it('lists recent requests of the endpoint asked for', async () => {
    web.server.show(FEW);
    const page = await web.open('/trace?endpoint=late');
    await expect.poll(() => rows(page, 'Requests of late')).toBe(25);
    await page.getByText('400 INVALID_TENSOR').waitFor();
    await picture(page, 'trace');
    await page.getByRole('combobox', { name: 'Endpoint' }).click();
    await page.getByRole('option', { name: 'churn' }).click();
    await page.waitForURL('**/trace?endpoint=churn');
    await page.getByText('churn has answered nothing yet').waitFor();
  });

  it('says what to do where nothing can be traced yet', async () => {
    const page = await web.open('/trace');
    await page.getByText('There is no endpoint yet').waitFor();
    await picture(page, 'trace-empty');
  });

  it('opens the whole chain of one request by its address', async () => {
    web.server.show(FEW);
    const page = await web.open(`/trace/${requestId(0)}`);
    const text = async (name: string): Promise<string> =>
      await page.getByRole('region', { name }).innerText();
    await page.getByRole('region', { name: 'Labels' }).waitFor();
    expect(await text('Request')).toMatch(/late.*300 µs.*queue 12 µs.*the journal/s);
    expect(await text('Routing')).toMatch(
      /3.*blue, 100 %.*sticky.*ana.*support tickets.*revision 1/s,
    );
    expect(await text('Model')).toMatch(/late v2.*1.19 MiB.*cli.*FP32 \[any, 36\]/s);
    expect(await text('Inputs')).toMatch(/0.37 .*"ORD"/s);
    expect(await text('Outputs')).toContain('0.17  0.83');
    expect(await text('Labels')).toMatch(/2, holds/);
    await picture(page, 'request');
  });

  it('holds what was served beside what comes out of the tables', async () => {
    web.server.show(withFeatures(FEW));
    const page = await web.open(`/trace/${requestId(0)}`);
    const features = page.getByRole('region', { name: 'Features', exact: true });
    await features.getByText('1 value recomputed otherwise').waitFor();
    const first = features.getByRole('table').locator('tbody tr').first();
    expect(await first.innerText()).toMatch(
      /destination_delays__delay_2h\s+0\.\d+\s+0\.5\s+differs/,
    );
    const text = await page.getByRole('region', { name: 'Asked with' }).innerText();
    expect(text).toMatch(/late_v1.*origin=ORD, destination=LGA, distance=733/s);
    expect(text).toContain('default.landings version 117');
    const checks = page.getByRole('region', { name: 'Checks' });
    expect(await checks.innerText()).toMatch(/golden\s+v2\s+not done\s+no golden requests/);
    await picture(page, 'request-features');
    const trained = page.getByRole('region', { name: 'Trained' });
    await trained.getByRole('link', { name: /^run_/ }).click();
    await page.waitForURL(`**/runs/${runId(1)}`);
    web.forgive(/404 \(Not Found\)/);
  });

  it('says why nothing could be recomputed', async () => {
    const fixture = withFeatures(FEW);
    const { features } = fixture.traced;
    const values = features!.rows[0]!.values.map(({ name, served }) => ({
      name,
      served,
      isSame: null,
    }));
    const notRecomputed = 'Version 3 of default.landings is gone.';
    const rows = [{ ...features!.rows[0]!, values }];
    const traced = { features: { ...features!, rows, notRecomputed }, origin: null };
    web.server.show({ ...fixture, traced });
    const page = await web.open(`/trace/${requestId(0)}`);
    await page.getByText(notRecomputed).waitFor();
    expect(await page.getByText('recomputed alike').count()).toBe(0);
  });

  it('cuts a large tensor short and says how much is missing', async () => {
    const [first] = FEW.predictions;
    const data = Array.from({ length: 150_528 }, (_, i) => i % 255);
    const image = { name: 'image', datatype: 'UINT8', shape: [1, 3, 224, 224], data };
    web.server.show({ ...FEW, predictions: [{ ...first!, inputs: [image], outputs: null }] });
    const page = await web.open(`/trace/${requestId(0)}`);
    await page.getByText('and 150,464 more of 150,528 values').waitFor();
    await page.getByRole('region', { name: 'Outputs' }).getByText('None was logged').waitFor();
  });

  it('explains an id it does not know', async () => {
    web.server.show(FEW);
    const page = await web.open('/trace/req_unknown');
    const alert = page.getByRole('alert');
    await alert.getByText('REQUEST_NOT_FOUND').waitFor();
    expect(await alert.innerText()).toMatch(/at once: from the journal.*within 10 seconds/s);
    await picture(page, 'request-unknown');
    await page.getByLabel('Request id').fill(requestId(3));
    await page.getByRole('button', { name: 'Trace', exact: true }).click();
    await page.getByRole('region', { name: 'Routing' }).waitFor();
    // The browser itself reports every 404.
    web.forgive(/404 \(Not Found\)/);
  });

  it('refuses what cannot be an id without asking the server', async () => {
    const page = await web.open('/trace');
    await page.getByLabel('Request id').fill('two words');
    await page.getByLabel('Request id').press('Enter');
    await page.getByText('printable ASCII').waitFor();
    expect(page.url()).toBe(`${web.server.url}/trace`);
  });
});

describe('what is live', () => {
  it('shows a new event without a reload', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    web.server.emit({ ...event(41, ['late']), actor: 'somebody-new' });
    await page.getByRole('cell', { name: 'somebody-new' }).waitFor();
  });

  it('says when the server is gone, and catches up when it is back', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    web.server.acceptsStreams = false;
    web.server.dropStreams();
    await page.getByRole('status', { name: /Connection: reconnecting/ }).waitFor();
    web.server.emit({ ...event(41, ['late']), actor: 'while-away' });
    web.server.acceptsStreams = true;
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await page.getByRole('cell', { name: 'while-away' }).waitFor();
    // The browser itself reports each refused or broken connection.
    web.forgive(/503|ERR_INCOMPLETE_CHUNKED/);
  });

  it('holds no connection for a page that nobody looks at', async () => {
    const page = await web.open('/');
    await expect.poll(() => web.server.openStreams).toBe(1);
    const setVisibility = async (state: string): Promise<void> => {
      await page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
         document.dispatchEvent(new Event('visibilitychange'))`,
      );
    };
    await setVisibility('hidden');
    await expect.poll(() => web.server.openStreams).toBe(0);
    await setVisibility('visible');
    await expect.poll(() => web.server.openStreams).toBe(1);
  });

  it('says how to start a server that does not answer', async () => {
    const page = await web.open('/');
    await page.route('**/api/**', (route) => route.abort());
    await page.route('**/health', (route) => route.abort());
    await page.goto(`${web.server.url}/trace`);
    await page.getByText('SERVER_UNREACHABLE').waitFor();
    await page.getByText('millwright up').waitFor();
    await page.getByRole('status', { name: /Connection: reconnecting/ }).waitFor();
    web.forgive(/ERR_FAILED/);
  });
});

describe('the shell', () => {
  it('fits a screen of 360 pixels and opens the list of pages by its button', async () => {
    web.server.show(FEW);
    for (const [url, name] of [
      ['/', 'overview-narrow'],
      ['/trace', 'trace-narrow'],
      [`/trace/${requestId(0)}`, 'request-narrow'],
    ] as const) {
      const page = await web.open(url, { size: NARROW });
      await page.getByRole('table').first().waitFor();
      if (url === '/') await page.locator('canvas').nth(1).waitFor();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await picture(page, name);
    }
    web.server.show(emptyFixture());
    const page = await web.open('/', { size: NARROW });
    await page.getByText('First steps').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Open the list of pages' }).click();
    await page.getByRole('link', { name: 'Trace' }).click();
    await page.getByText('There is no endpoint yet').waitFor();
  });

  it('follows the system into the dark, and remembers another choice', async () => {
    web.server.show(FEW);
    const page = await web.open('/', { scheme: 'dark' });
    const scheme = async (): Promise<unknown> =>
      await page.evaluate('document.documentElement.dataset.mantineColorScheme');
    expect(await scheme()).toBe('dark');
    await page.locator('canvas').nth(1).waitFor();
    await picture(page, 'overview-dark');
    await page.getByRole('button', { name: 'Colour scheme' }).click();
    await page.getByRole('menuitemradio', { name: 'Light' }).click();
    expect(await scheme()).toBe('light');
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await scheme()).toBe('light');
    const other = await web.open(`/trace/${requestId(0)}`, { scheme: 'dark' });
    await other.getByRole('region', { name: 'Labels' }).waitFor();
    await picture(other, 'request-dark');
  });

  it('can be used by keyboard alone', async () => {
    web.server.show(FEW);
    const page = await web.open('/');
    await page.getByRole('region', { name: 'Endpoints' }).waitFor();
    await page.keyboard.press('Tab');
    const focused = page.locator(':focus');
    expect(await focused.innerText()).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await focused.getAttribute('id')).toBe('content');
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.waitForURL('**/trace');
    await page.getByRole('table', { name: 'Requests of late' }).waitFor();
    await page.keyboard.press('/');
    expect(await focused.getAttribute('aria-label')).toBe('Request id');
    await page.keyboard.type(requestId(5));
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Routing' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await picture(page, 'keys');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('sorts a table from its headers, by key', async () => {
    web.server.show(FEW);
    const page = await web.open('/trace');
    const latency = page.getByRole('columnheader', { name: 'Latency' });
    await latency.getByRole('button').press('Enter');
    expect(await latency.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    expect(await latency.getAttribute('aria-sort')).toBe('ascending');
    const first = page.getByRole('table').locator('tbody tr').first();
    expect(await first.innerText()).toContain('300 µs');
  });

  it('shows a way back from an address that is no page', async () => {
    const page = await web.open('/nothing/here');
    await page.getByText('There is no page at /nothing/here').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Overview' }).click();
    await page.getByText('Everything is well').waitFor();
  });

  it('paints at once, and says how fast', async ({ annotate }) => {
    web.server.show(FEW);
    const page = await web.open('/');
    // The browser tells of a paint a moment after it.
    const paint = await page.waitForFunction(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime",
    );
    const ms = Number(await paint.jsonValue());
    expect(ms).toBeGreaterThan(0);
    await annotate(`first contentful paint after ${Math.round(ms)} ms`);
  });
});

describe('with the real server', () => {
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

  async function deployLate(): Promise<void> {
    const params = { endpoint: 'late' };
    const bytes = versionModel({ version: 1 });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
    await app.api.call(deploy, { params, body: { version: 1, reason: 'first of all' } });
  }

  it('walks a new user from nothing to a traced prediction, as it happens', async () => {
    const page = await web.open('/', { origin });
    await page.getByText('Nothing is served here yet').waitFor();
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await deployLate();
    await page.getByText('3 of 4 done').waitFor();
    await page.getByRole('cell', { name: 'route.deployed' }).waitFor();
    const command = await page.getByText('/v2/models/late/infer').innerText();
    const body = command.slice(command.indexOf("-d '") + 4, -1);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/v2/models/late/infer`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    await page.getByText('First steps').waitFor({ state: 'detached' });
    await picture(page, 'real-overview');
    await page.getByRole('link', { name: 'late', exact: true }).click();
    await page.waitForURL('**/endpoints/late');
    await page
      .getByRole('table', { name: 'Serving' })
      .getByRole('link', { name: '1', exact: true })
      .click();
    const id = answer.headers.get('x-request-id') ?? '';
    await page.getByRole('link', { name: id }).click();
    await page.getByRole('region', { name: 'Routing' }).getByText('first of all').waitFor();
    await page.getByRole('region', { name: 'Outputs' }).getByRole('table').waitFor();
    await picture(page, 'real-request');
  });

  it('opens a deep link, and explains an id that was never answered', async () => {
    const page = await web.open('/trace/req_unknown', { origin });
    await page.getByText('REQUEST_NOT_FOUND').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });
});
