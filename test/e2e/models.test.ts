import { describe, expect, it } from 'vitest';
import { busyFixture, event } from './fixture-data.ts';
import { runId } from './fixture-runs.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const FEW = busyFixture({ endpoints: 3, predictions: 20, events: 10, runs: 3 });
const LOTS = busyFixture({ endpoints: 50, predictions: 0, events: 0 });

const web = new WebPages();

describe('the list of models', () => {
  it('says how to register the first one', async () => {
    const page = await web.open('/models');
    await page.getByText('No model is registered yet').waitFor();
    await page.getByText('millwright models register NAME FILE.onnx').waitFor();
    await picture(page, 'models-empty');
  });

  it('shows which versions serve where', async () => {
    web.server.show(FEW);
    const page = await web.open('/models');
    expect(await page.getByRole('row', { name: /^churn/ }).innerText()).toMatch(
      /churn\s+v3\s+churn v2 \+ v3/,
    );
    await picture(page, 'models');
    await page.getByRole('link', { name: 'churn' }).first().click();
    await page.waitForURL('**/models/churn');
  });

  it('stays usable with many of them', async () => {
    web.server.show(LOTS);
    const page = await web.open('/models');
    await expect.poll(() => rows(page, 'Models')).toBe(25);
    await page.getByLabel('Filter Models').fill('eta_5');
    await expect.poll(() => rows(page, 'Models')).toBe(1);
  });
});

describe('one model', () => {
  it('tells of each version whether it serves, and leads to it', async () => {
    web.server.show(FEW);
    const page = await web.open('/models/churn');
    expect(await page.getByRole('row', { name: /^v2/ }).innerText()).toContain('serving 90 %');
    expect(await page.getByRole('row', { name: /^v3/ }).innerText()).toContain('serving 10 %');
    expect(await page.getByRole('row', { name: /^v1/ }).innerText()).not.toContain('serving');
    await picture(page, 'model');
    await page.getByRole('link', { name: 'v2' }).click();
    await page.waitForURL('**/models/churn/versions/2');
  });

  it('shows a rollout as it happens', async () => {
    web.server.show(FEW);
    const page = await web.open('/models/late');
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await page.getByRole('row', { name: /^v2 serving late/ }).waitFor();
    const endpoints = FEW.endpoints.map((endpoint) => {
      const arms = endpoint.route!.arms.map((arm) => ({ ...arm, version: 3 }));
      return { ...endpoint, route: { ...endpoint.route!, arms } };
    });
    web.server.show({ ...FEW, endpoints });
    web.server.emit({ ...event(11, ['late']), subject: 'endpoint/late' });
    await page.getByRole('row', { name: /^v3 serving late/ }).waitFor();
  });
});

describe('one version', () => {
  it('leads back to its tables and forward to its endpoint', async () => {
    web.server.show(FEW);
    const page = await web.open('/models/late/versions/2');
    const lineage = page.getByRole('region', { name: 'Lineage' });
    await lineage.getByText('default.landings v117').waitFor();
    const titles = await lineage.getByRole('listitem').locator('p').allInnerTexts();
    expect(titles.filter((text) => /^[A-Z]/.test(text))).toEqual([
      'Tables',
      'Definition',
      'Training set',
      'Run',
      'Model version',
      'Routing',
      'Endpoint',
    ]);
    const about = await page.getByRole('region', { name: 'Version', exact: true }).innerText();
    expect(about).toMatch(/serving late.*@champion.*run_.*reviewed_by = ana/s);
    const signature = await page.getByRole('region', { name: 'Signature' }).innerText();
    expect(signature).toMatch(/input\s+features\s+FP32\s+\[any, 36\]/);
    await picture(page, 'version');
    await lineage.getByRole('link', { name: /^run_/ }).click();
    await page.waitForURL(`**/runs/${runId(1)}`);
    await page.goBack();
    await lineage.getByRole('link', { name: 'late_train v3' }).click();
    await page.waitForURL('**/features/training-sets/late_train/versions/3');
  });

  it('gives the command that deploys what serves nowhere', async () => {
    web.server.show(FEW);
    const page = await web.open('/models/late/versions/1');
    await page.getByText('millwright deploy late@1').waitFor();
  });

  it('says why a model without an ONNX file does not serve, and that one was deleted', async () => {
    const versions = FEW.versions.map((version) => ({
      ...version,
      format: 'mlflow' as const,
      signature: { inputs: [], outputs: [] },
      deletedAt: version.createdAt,
    }));
    web.server.show({ ...FEW, versions });
    const page = await web.open('/models/late/versions/1');
    await page.getByText('so it cannot be served').waitFor();
    await page.getByRole('alert').getByText('This version was deleted').waitFor();
    expect(await page.getByText('millwright deploy').count()).toBe(0);
  });

  it('explains a version that is not there, by its number', async () => {
    web.server.show(FEW);
    const page = await web.open('/models/late/versions/99');
    await page.getByRole('alert').getByText('MODEL_VERSION_NOT_FOUND').waitFor();
    await picture(page, 'version-unknown');
    web.forgive(/404 \(Not Found\)/);
  });
});

it('fits models on a narrow screen, and in the dark', async () => {
  web.server.show(FEW);
  for (const url of ['/models', '/models/late', '/models/late/versions/2']) {
    const page = await web.open(url, { size: NARROW, scheme: 'dark' });
    await page.getByRole('table').first().waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, `narrow${url.replaceAll('/', '-')}`);
  }
});
