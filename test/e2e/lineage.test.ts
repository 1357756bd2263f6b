import { expect, it } from 'vitest';
import { busyFixture } from './fixture-data.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const SOME = busyFixture({ endpoints: 1, predictions: 0, events: 0, runs: 3 });

const web = new WebPages();

it('follows a thing both ways, and on from each that it finds', async () => {
  web.server.show(SOME);
  const page = await web.open('/lineage');
  await page.getByText('Of what?').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('late@2');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/lineage\?of=model%2Flate%402$/);
  await expect.poll(() => rows(page, 'Relations')).toBe(7);
  const relation = page.getByRole('row', { name: /^model late v2 made by run/ });
  await relation.waitFor();
  await picture(page, 'lineage');
  const table = page.getByRole('table').getByRole('link', { name: 'default.landings v117' });
  expect(await table.getAttribute('href')).toBe('/tables/default.landings?version=117');
  await page.getByRole('table').getByRole('link', { name: 'late revision 3' }).first().click();
  await page.waitForURL(/of=revision%2Flate%403$/);
  expect(await page.getByLabel('Thing').inputValue()).toBe('revision/late@3');
});

it('explains what is no thing, and what nothing is known of', async () => {
  const page = await web.open('/lineage');
  await page.getByLabel('Thing').fill('two words');
  await page.getByRole('button', { name: 'Follow' }).click();
  await page.getByText('A thing is MODEL@VERSION').waitFor();
  await page.getByLabel('Thing').fill('late@99');
  await page.getByLabel('Thing').press('Enter');
  await page.getByText('Nothing is known of model/late@99').waitFor();
});

it('fits a narrow screen, in the dark', async () => {
  const page = await web.open('/lineage?of=model/late@2', { size: NARROW, scheme: 'dark' });
  await page.getByRole('table', { name: 'Relations' }).waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await picture(page, 'lineage-narrow');
});
