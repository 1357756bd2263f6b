import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { createToken, revokeToken } from '../../src/capabilities/auth/contract.ts';
import { createTable } from '../../src/capabilities/tables/contract.ts';
import { NARROW, overflow, picture, WebPages } from './web-pages.ts';

/** Pages of a server that asks for a token. */

const web = new WebPages();
/** The page asks again within seconds; the machine may be busy. */
const LIVE_MS = 20_000;
let app: TestApp;
let origin: string;
let token: string;

beforeEach(async () => {
  app = await createTestApp({ name: 'flights' });
  origin = await app.app.listen(0);
  const body = { name: 'ada', scopes: ['admin' as const] };
  token = (await app.api.call(createToken, { body })).token;
});

afterEach(async () => {
  await web.close();
  await app[Symbol.asyncDispose]();
  // What the browser itself says of every answer that is no success.
  web.forgive(/401/);
});

async function createRows(name: string): Promise<void> {
  const columns = [{ name: 'n', type: 'long' as const }];
  await app.api.call(createTable, { body: { namespace: 'lab', name, columns } });
}

it('asks for the token once, then follows events, and asks again when it is revoked', async () => {
  const page = await web.open('/', { origin });
  await page.getByRole('heading', { name: 'This server asks for a token' }).waitFor();
  await picture(page, 'sign-in');
  const field = page.getByLabel('Token', { exact: true });
  await field.fill('hunter2');
  await field.press('Enter');
  await page.getByText('That is not a token').waitFor();
  await field.fill(`mwt_${'0'.repeat(12)}_${'0'.repeat(64)}`);
  await field.press('Enter');
  await page.getByText('The token is not known here').waitFor();
  await field.fill(`  ${token} `);
  await field.press('Enter');
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await page.getByRole('status', { name: /Connection: live/ }).waitFor({ timeout: LIVE_MS });
  await createRows('live');
  await page.getByText('table.created').first().waitFor({ timeout: LIVE_MS });
  await picture(page, 'signed-in');

  await page.reload();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  expect(await page.evaluate('document.cookie')).toBe('');
  expect(
    JSON.stringify(await page.evaluate('({ ...localStorage, ...sessionStorage })')),
  ).not.toMatch(/mw[ts]_/);

  await app.api.call(revokeToken, { params: { token: 'ada' } });
  const again = page.getByRole('heading', { name: 'This server asks for a token' });
  await again.waitFor({ timeout: LIVE_MS });
});

it('forgets the session when asked to', async () => {
  const page = await web.open('/runs', { origin, size: NARROW });
  await page.getByLabel('Token', { exact: true }).fill(token);
  expect(await overflow(page)).toBe(0);
  await picture(page, 'sign-in-narrow');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Runs', level: 1, exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'This server asks for a token' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'This server asks for a token' }).waitFor();
});
