import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { appendRows, createTable, type Column } from '../../src/capabilities/tables/contract.ts';
import { ndjson } from '../contracts/lake.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

/** Pages of tables on the real server, whose tables are filled as programs fill them. */

const web = new WebPages();
/** The page follows what happens within seconds; the machine may be busy. */
const LIVE_MS = 20_000;
const LANDINGS = { namespace: 'default', name: 'landings' };
const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'origin', type: 'string', nullable: true },
  { name: 'landed_at', type: 'timestamp', nullable: true },
  { name: 'delay', type: 'integer', nullable: true },
];
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

async function create(params = LANDINGS, columns = COLUMNS): Promise<void> {
  await app.api.call(createTable, { body: { ...params, columns: [...columns] } });
}

function landing(id: number): object {
  const hour = String(id % 24).padStart(2, '0');
  const landed_at = `2001-03-01T${hour}:30:00Z`;
  return { id, origin: id % 2 === 0 ? 'ORD' : 'ATL', landed_at, delay: id % 7 === 0 ? null : id };
}

async function append(first: number, count: number, params = LANDINGS): Promise<void> {
  const bytes = ndjson(...Array.from({ length: count }, (_, index) => landing(first + index)));
  await app.api.call(appendRows, { params, query: { batch: `from ${first}` } }, { bytes });
}

it('says how to make the first table, and shows it as soon as there is one', async () => {
  const page = await web.open('/', { origin });
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.waitForURL('**/tables');
  await page.getByText('There is no table yet').waitFor();
  await page.getByText('millwright tables create landings --from landings.parquet').waitFor();
  await picture(page, 'tables-empty');
  await page.getByRole('status', { name: /Connection: live/ }).waitFor();
  await create();
  const row = page.getByRole('row', { name: /^default\.landings/ });
  await row.waitFor({ timeout: LIVE_MS });
  await append(1, 3);
  await expect.poll(() => row.innerText(), { timeout: LIVE_MS }).toMatch(/WRITE\s+test/);
  expect(await row.innerText()).toMatch(/default\.landings\s+1\s+3\s+1/);
});

it('shows a table, its versions, its rows as of each, and what two of them differ by', async () => {
  await create();
  await append(1, 60);
  await append(61, 2);
  const page = await web.open('/tables/default.landings', { origin });
  await page.getByText('the newest').waitFor();
  await expect.poll(() => rows(page, 'Versions of default.landings')).toBe(3);
  const versions = page.getByRole('table', { name: 'Versions of default.landings' });
  const newest = versions.getByRole('row', { name: /^2 / });
  expect(await newest.innerText()).toMatch(/WRITE\s+test\s+batches\s+2\s+0\s+1\s+0\s+1 → 2/);
  await page.getByRole('row', { name: /^0 .*CREATE TABLE.*columns/ }).waitFor();
  await page
    .getByRole('table', { name: 'Columns of default.landings' })
    .getByText('never')
    .waitFor();

  // The link of a version's own change, and an address that can be shared.
  await newest.getByRole('link', { name: '1 → 2' }).click();
  await page.waitForURL(/from=1&to=2/);
  const changed = page.getByRole('table', { name: 'Difference of default.landings 1 to 2' });
  await expect.poll(() => changed.locator('tbody tr').count()).toBe(2);
  expect(await changed.innerText()).toMatch(/\+ added\s+61\s+ATL\s+2001-03-01 13:30:00Z\s+61/);
  await picture(page, 'table');
  await page.reload();
  await changed.waitFor();
  await page.getByLabel('From version').fill('0');
  await page.getByLabel('From version').press('Enter');
  await page.waitForURL(/from=0&to=2/);
  await page.getByText('Every row that differs').waitFor();
  await page.getByLabel('From version').fill('9');
  await page.getByRole('alert').getByText('The older version first').waitFor();

  // Rows of the past, page by page.
  await page.getByText('1–50 of 62').waitFor();
  await page.getByRole('button', { name: 'Next 50' }).click();
  await page.waitForURL(/skip=50/);
  await page.getByText('51–62 of 62').waitFor();
  await page.getByRole('link', { name: '1', exact: true }).click();
  await page.getByRole('heading', { name: 'default.landings v1' }).waitFor();
  await page.getByText('as it was then').waitFor();
  await page.getByText('1–50 of 60').waitFor();
  await page.getByText('tables rows default.landings --version 1').waitFor();
  await page.getByRole('link', { name: 'To its newest version' }).click();
  await page.getByText('the newest').waitFor();
});

it('follows a table that grows, while an older version stays as it is', async () => {
  await create();
  await append(1, 3);
  const page = await web.open('/tables/default.landings', { origin });
  const past = await web.open('/tables/default.landings?version=1', { origin });
  await past.getByText('as it was then').waitFor();
  await page.getByRole('status', { name: /Connection: live/ }).waitFor();
  await append(10, 4);
  await page.getByText('1–7 of 7').waitFor({ timeout: LIVE_MS });
  await past.getByText('1–3 of 3').waitFor();
});

it('explains what is no table, and a version that is not there', async () => {
  await create();
  const page = await web.open('/tables/default.nowhere', { origin });
  await page.getByRole('alert').first().getByText('TABLE_NOT_FOUND').waitFor();
  await page.goto(`${origin}/tables/default.landings?version=7`);
  await page.getByRole('alert').first().getByText('TABLE_VERSION_NOT_FOUND').waitFor();
  await page.goto(`${origin}/tables/nothing`);
  await page.getByRole('alert').first().getByText('INVALID_INPUT').waitFor();
  web.forgive(/40[04] \((Not Found|Bad Request)\)/);
});

it('stays readable with hundreds of tables and versions, and hundreds of columns', async () => {
  const wide = Array.from({ length: 300 }, (_, index) => ({
    name: `feature_with_a_long_name_${index}`,
    type: 'double' as const,
    nullable: true,
  }));
  await create({ namespace: 'lab', name: 'wide' }, wide);
  const bytes = ndjson(...Array.from({ length: 60 }, (_, n) => ({ [wide[n]!.name]: n / 7 })));
  await app.api.call(
    appendRows,
    { params: { namespace: 'lab', name: 'wide' }, query: {} },
    { bytes },
  );
  for (let index = 0; index < 220; index += 1) {
    await create({ namespace: 'many', name: `table_${index}` });
  }
  await create();
  for (let index = 0; index < 130; index += 1) await append(index, 1);

  const page = await web.open('/tables', { origin });
  await page.getByText('1–25 of 200').waitFor();
  await page.getByRole('button', { name: 'Read more' }).click();
  await page.getByText('1–25 of 222').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('wide');
  await expect.poll(() => rows(page, 'Tables')).toBe(1);
  await picture(page, 'tables-many');
  await page.getByRole('link', { name: 'lab.wide' }).click();
  await page.getByText('The first 40 columns; 260 more are not drawn.').waitFor();
  await page.getByText('300 columns').waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.goto(`${origin}/tables/default.landings?from=0&to=130`);
  await page.getByText('Some of the rows that differ; 30 more').waitFor();
  await page.getByText('1–10 of 100 read so far').waitFor();
  await page.getByRole('button', { name: 'Read older' }).click();
  await page.getByText('1–10 of 131').waitFor();
});

it('fits a narrow screen, in the dark', async () => {
  await create();
  await append(1, 12);
  for (const url of ['/tables', '/tables/default.landings?version=1&from=0&to=1']) {
    const page = await web.open(url, { origin, size: NARROW, scheme: 'dark' });
    await page.getByRole('table').first().waitFor();
    await expect.poll(() => page.getByLabel('Loading').count()).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, `narrow${url.replace(/\?.*/, '').replaceAll('/', '-')}`);
  }
});
