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
  await page.locator('canvas').waitFor();
  await picture(page, 'lineage');
  const table = page.getByRole('table').getByRole('link', { name: 'default.landings v117' });
  expect(await table.getAttribute('href')).toBe('/tables/default.landings?version=117');
  await page.getByRole('table').getByRole('link', { name: 'late revision 3' }).first().click();
  await page.waitForURL(/of=revision%2Flate%403$/);
  expect(await page.getByLabel('Thing', { exact: true }).inputValue()).toBe('revision/late@3');
});

it('explains what is no thing, and what nothing is known of', async () => {
  const page = await web.open('/lineage');
  await page.getByLabel('Thing', { exact: true }).fill('two words');
  await page.getByRole('button', { name: 'Follow' }).click();
  await page.getByText('A thing is MODEL@VERSION').waitFor();
  await page.getByLabel('Thing', { exact: true }).fill('late@99');
  await page.getByLabel('Thing', { exact: true }).press('Enter');
  await page.getByText('Nothing is known of model/late@99').waitFor();
});

it('follows as many steps as are asked for, in an address that can be shared', async () => {
  web.server.show(SOME);
  const page = await web.open('/lineage?of=model%2Flate%402');
  await page
    .getByRole('img', { name: /^Lineage of model\/late@2: 8 things in 7 layers/ })
    .waitFor();
  await page.getByLabel('Steps followed each way').selectOption('1');
  await page.waitForURL(/depth=1/);
  await expect.poll(() => rows(page, 'Relations')).toBe(2);
  await page.getByText('There is more than the steps followed').waitFor();
  await page.reload();
  await page.getByRole('img', { name: /^Lineage of model\/late@2: 3 things/ }).waitFor();
});

it('stays readable where a table led to a hundred things, and is saved', async () => {
  web.server.show(SOME);
  const page = await web.open('/lineage?of=table%2Fdefault.busy%409');
  const graph = page.getByRole('img', { name: /121 things in 3 layers: Tables 1, Run 60/ });
  await graph.locator('canvas').waitFor();
  const height = async () => (await graph.boundingBox())!.height;
  expect(await height()).toBeLessThan(400);
  await picture(page, 'lineage-busy');
  const all = page.getByRole('button', { name: 'Run: show all 60' });
  await all.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/open=/);
  await expect.poll(height).toBeGreaterThan(1500);
  await picture(page, 'lineage-busy-open');
  await page.getByRole('button', { name: 'Run: show fewer' }).click();
  await expect.poll(height).toBeLessThan(400);
  for (const kind of ['PNG', 'CSV']) {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: new RegExp(`^Save Lineage of .* as ${kind}$`) }).click();
    expect((await saving).suggestedFilename()).toMatch(new RegExp(`${kind.toLowerCase()}$`));
  }
  // Larger, its boxes are further apart: what lay in the middle is drawn over more of it.
  const former = await graph.locator('canvas').screenshot();
  await page.getByRole('button', { name: 'Zoom in' }).press('Enter');
  await page.getByRole('button', { name: '150 %' }).waitFor();
  await picture(page, 'lineage-busy-zoomed');
  expect((await graph.locator('canvas').screenshot()).equals(former)).toBe(false);
  await page.getByRole('button', { name: '150 %' }).click();
  const whole = page.getByRole('button', { name: '100 %' });
  await whole.waitFor();
  // Zoomed by the wheel, it is whole again by the same button.
  const drawn = async () => (await graph.locator('canvas').screenshot()).toString('base64');
  await graph.scrollIntoViewIfNeeded();
  const { x, y } = (await graph.boundingBox())!;
  const before = await drawn();
  await page.mouse.move(x + 20, y + 60);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -300);
  await page.keyboard.up('Control');
  await expect.poll(drawn).not.toBe(before);
  await whole.click();
  await page.mouse.move(x + 20, y + 60);
  await expect.poll(drawn).toBe(before);
  // The box of a run: it leads on to the run's own lineage.
  const { width } = (await graph.boundingBox())!;
  await graph.click({ position: { x: width / 2, y: 46 } });
  await page.waitForURL(/of=run%2Frun_/);
});

it('fits a narrow screen, in the dark', async () => {
  const page = await web.open('/lineage?of=model/late@2', { size: NARROW, scheme: 'dark' });
  await page.getByRole('table', { name: 'Relations' }).waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await picture(page, 'lineage-narrow');
});
