import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint, split } from '../../src/capabilities/serving/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

/** "Who served at ..." on the page Trace, on the real server. */

const web = new WebPages();
const params = { endpoint: 'late' };
const TABLE = 'Requests around the moment of late';
let app: TestApp;
let origin: string;

beforeEach(async () => {
  app = await createTestApp({ name: 'flights' });
  origin = await app.app.listen(0);
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
  const body = { model: 'late', key: 'flight', sticky: 'origin' };
  await app.api.call(putEndpoint, { params, body });
  await app.api.call(deploy, { params, body: { version: 1, reason: 'first model' } });
  app.clock.advance(3_600_000);
  const arms = [
    { name: 'blue', version: 1, weight: 5000 },
    { name: 'canary', version: 2, weight: 5000 },
  ];
  await app.api.call(split, { params, body: { arms, reason: 'look at it first' } });
});

afterEach(async () => {
  // A page that outlives its server complains.
  await web.close();
  await app[Symbol.asyncDispose]();
});

async function ask(parameters: Record<string, string>): Promise<{ id: string; version: string }> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }];
  const answer = await fetch(`${origin}/v2/models/late/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parameters, inputs }),
  });
  const { id, model_version: version } = (await answer.json()) as Record<string, string>;
  return { id: id!, version: version! };
}

it('tells the version of a moment and a caller, with its request and its revision', async () => {
  const { id, version } = await ask({ origin: 'ORD', flight: '77' });
  await ask({ origin: 'ATL', flight: '78' });
  const page = await web.open('/trace', { origin });
  await page.getByLabel('Moment (domain clock)').fill('noon');
  await page.getByRole('button', { name: 'Who served?' }).click();
  await page.getByText('A time with its zone').waitFor();
  await page.getByLabel('Moment (domain clock)').fill('2001-03-01 01:30Z');
  await page.getByLabel('Moment (domain clock)').press('Enter');
  await page.waitForURL(/at=2001-03-01T01%3A30%3A00Z/);
  await page.getByText('2 arms shared the traffic, told apart by origin').waitFor();
  await expect.poll(() => rows(page, TABLE)).toBe(2);
  await page.getByLabel('Whom (optional)').fill('origin=ORD');
  await page.getByLabel('Whom (optional)').press('Enter');
  await page.getByText(/origin=ORD falls into bucket [\d,]+$/).waitFor();
  await page.getByRole('link', { name: `late v${version}` }).waitFor();
  await page.getByText('look at it first').first().waitFor();
  await expect.poll(() => rows(page, TABLE)).toBe(1);
  await picture(page, 'who-served');
  await page.reload();
  await page.getByText(/origin=ORD falls into bucket/).waitFor();
  expect(await page.getByLabel('Whom (optional)').inputValue()).toBe('origin=ORD');
  await page.getByRole('table', { name: TABLE }).getByRole('link', { name: id }).click();
  await page.waitForURL(`**/trace/${id}`);
});

it('knows the revision of before, and explains what it cannot tell', async () => {
  const page = await web.open('/trace?at=2001-03-01T00:30:00Z', { origin });
  await page.getByRole('link', { name: 'late v1', exact: true }).waitFor();
  await page.getByText('first model').first().waitFor();
  await page.getByText('No request is logged within a day').waitFor();
  await page.goto(`${origin}/trace?at=2001-02-01T00:00:00Z`);
  await page.getByText('Not decided: nothing was deployed').waitFor();
  await page.goto(`${origin}/trace?at=2001-03-01T00:30:00Z&key=airline%3DUA`);
  await page.getByRole('alert').getByText('told no callers apart by airline').waitFor();
  web.forgive(/400 \(Bad Request\)/);
});

it('fits a narrow screen, in the dark', async () => {
  await ask({ origin: 'ORD', flight: '77' });
  const url = '/trace?at=2001-03-01T01:30:00Z&key=origin%3DORD';
  const page = await web.open(url, { origin, size: NARROW, scheme: 'dark' });
  await page.getByText(/falls into bucket/).waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await picture(page, 'narrow-who-served');
});
