import { describe, expect, it } from 'vitest';
import { busyFixture, event } from './fixture-data.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const FLIGHTS = busyFixture({ endpoints: 1, predictions: 0, events: 10, runs: 3 });

const web = new WebPages();

describe('the catalogue of features', () => {
  it('says how to declare the first ones', async () => {
    const page = await web.open('/features');
    await page.getByText('No feature is declared yet').waitFor();
    await page.getByText('millwright apply').waitFor();
    await picture(page, 'features-empty');
  });

  it('lists services, views and training sets, and how fresh they are online', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features');
    const row = async (name: RegExp): Promise<string> =>
      await page.getByRole('row', { name }).innerText();
    expect(await row(/^late_v1/)).toMatch(/late_v1\s+38\s+origin, destination, distance/);
    expect(await row(/^route_delays/)).toMatch(/origin, destination\s+n, late, delay\s+2h, 1d/);
    expect(await row(/^never_built/)).toContain('millwright features train-set never_built');
    await page.getByText('version 117 of 118').waitFor();
    await page.getByText('building route_delays').waitFor();
    await page.getByText('Column iata of default.airports is gone').waitFor();
    await picture(page, 'features');
  });

  it('shows a definition that was just applied', async () => {
    const page = await web.open('/features');
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await page.getByText('No feature is declared yet').waitFor();
    web.server.show(FLIGHTS);
    web.server.emit({ ...event(11, ['late']), subject: 'features', kind: 'features.applied' });
    await page.getByRole('link', { name: 'late_v1' }).first().waitFor();
  });
});

describe('one service', () => {
  it('says how every feature is computed', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/services/late_v1');
    await expect.poll(() => rows(page, 'Features of late_v1')).toBe(15);
    await page.getByLabel('Filter Features of late_v1').fill('route_delays__delay_7d');
    await page.getByText('avg(clamp(delay, -30, 180)) over the last 7d').waitFor();
    await page.getByLabel('Filter Features of late_v1').fill('hour');
    await page.getByRole('table').getByText('hour(local(T, origin))').waitFor();
    await page.getByRole('link', { name: 'origin_delays' }).click();
    await page.waitForURL('**/features/views/origin_delays');
    await page.getByRole('table', { name: 'Aggregates' }).getByText('clamp(delay').waitFor();
    await picture(page, 'view');
  });

  it('looks a vector up as of a time, in an address that can be shared', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/services/late_v1');
    await page.getByRole('button', { name: 'Look up' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('ORD');
    await page.keyboard.press('Tab');
    await page.keyboard.type('LGA');
    await page.getByLabel('As of').fill('2001-02-01');
    await page.keyboard.press('Enter');
    await page.getByText('A time with its zone').waitFor();
    await page.getByLabel('As of').fill('2001-02-01 08:00:00Z');
    await page.keyboard.press('Enter');
    const vector = page.getByRole('table', { name: 'Vector of late_v1' });
    await vector.getByText('0.142857').waitFor();
    await vector.getByText('missing').waitFor();
    await page
      .getByText('features get late_v1 --key origin=ORD,destination=LGA --at 2001-02-01T08:00:00Z')
      .waitFor();
    await picture(page, 'service');
    await page.reload();
    await vector.getByText('0.142857').waitFor();
    expect(await page.getByRole('textbox', { name: 'destination' }).inputValue()).toBe('LGA');
  });

  it('shows what the server says of a missing key', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/services/late_v1');
    await page.getByRole('button', { name: 'Look up' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The key origin is missing.').waitFor();
    expect(await alert.innerText()).toContain('It takes origin (string)');
    web.forgive(/400 \(Bad Request\)/);
  });

  it('explains a service and a view that are not there', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/services/gone');
    await page.getByRole('alert').getByText('FEATURE_SERVICE_NOT_FOUND').waitFor();
    await page.goto(`${web.server.url}/features/views/gone`);
    await page.getByRole('alert').getByText('There is no gone').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });
});

describe('a training set', () => {
  it('lists its versions, or says how to build the first', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/training-sets/late_train');
    const newest = page.getByRole('row', { name: /^v3/ });
    expect(await newest.innerText()).toMatch(/230,109\s+413,244\s+0\.2114/);
    await picture(page, 'training-set');
    await page.goto(`${web.server.url}/features/training-sets/never_built`);
    await page.getByText('It was never built').waitFor();
    await page.getByText('millwright features train-set never_built').waitFor();
  });

  it('counts what was left out by reason, and draws every feature', async () => {
    web.server.show(FLIGHTS);
    const page = await web.open('/features/training-sets/late_train/versions/3');
    await page.getByText('35.77 % of 643,353 in the range').waitFor();
    await page.getByText('before the longest window is full').waitFor();
    await page.getByRole('img', { name: /^Histogram of origin_delays__n_2h/ }).waitFor();
    await page.getByRole('button', { name: 'origin_delays__n_1d' }).click();
    await page.waitForURL('**?feature=origin_delays__n_1d');
    await page.getByText('230,009 values in 50 bins').waitFor();
    await page.locator('canvas').waitFor();
    await picture(page, 'training-version');
    await page.getByRole('button', { name: 'origin_delays__n_30d' }).click();
    await page.getByText('Every value is missing.').waitFor();
    const parquet = page.getByRole('link', { name: 'Download as Parquet' });
    expect(await parquet.getAttribute('href')).toBe(
      '/api/v1/training-sets/late_train/versions/3/parquet',
    );
  });
});

it('fits features on a narrow screen, and in the dark', async () => {
  web.server.show(FLIGHTS);
  for (const url of [
    '/features',
    '/features/services/late_v1?inputs=%7B%22origin%22:%22ORD%22%7D',
    '/features/views/route_delays',
    '/features/training-sets/late_train/versions/3',
  ]) {
    const page = await web.open(url, { size: NARROW, scheme: 'dark' });
    await page.getByRole('table').first().waitFor();
    await expect.poll(() => page.getByLabel('Loading').count()).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, `narrow${url.replace(/\?.*/, '').replaceAll('/', '-')}`);
  }
});
