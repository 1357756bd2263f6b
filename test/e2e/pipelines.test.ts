import { describe, expect, it } from 'vitest';
import { busyFixture } from './fixture-data.ts';
import { pipelineId } from './fixture-pipelines.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const SOME = busyFixture({ endpoints: 1, predictions: 0, events: 0, pipelines: 40 });
const web = new WebPages();

describe('the list of pipeline runs', () => {
  it('says how to run the first stage', async () => {
    const page = await web.open('/pipelines');
    await page.getByText('No stage was run yet').waitFor();
    await page.getByText('millwright run --dry').waitFor();
  });

  it('leads from each to its page', async () => {
    web.server.show(SOME);
    const page = await web.open('/');
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForURL('**/pipelines');
    await expect.poll(() => rows(page, 'Pipeline runs')).toBe(25);
    await page
      .getByRole('row', { name: /failed.*Stage train ended with 1/ })
      .getByRole('link')
      .click();
    await page.waitForURL(`**/pipelines/${pipelineId(1)}`);
  });
});

describe('one pipeline run', () => {
  it('tells which stages ran, which did not, and why', async () => {
    web.server.show(SOME);
    const page = await web.open(`/pipelines/${pipelineId(1)}`);
    const stages = page.getByRole('table', { name: 'Stages' });
    expect(await stages.innerText()).toMatch(
      /prepare\s+cached\s+nothing that it depends on changed.*train\s+failed\s+Stage train ended with 1\..*report\s+skipped\s+the run ended before it/s,
    );
    // What failed is what somebody came for.
    const stage = page.getByRole('region', { name: 'Stage train' });
    expect(await stage.innerText()).toMatch(/params\.lr changed.*it ended with 1/s);
    await stage.getByLabel('Log of train').getByText('epoch 2 auc 0.768').waitFor();
    await picture(page, 'pipeline');
    await stages.getByRole('link', { name: 'prepare' }).click();
    await page.waitForURL('**?stage=prepare');
    await page.getByRole('region', { name: 'Stage prepare' }).waitFor();
  });

  it('offers to cancel one that runs, and no other', async () => {
    web.server.show(SOME);
    const page = await web.open(`/pipelines/${pipelineId(0)}`);
    await page.getByRole('button', { name: 'Cancel the run' }).waitFor();
    await page.goto(`${web.server.url}/pipelines/${pipelineId(2)}`);
    await page.getByRole('table', { name: 'Outputs of train' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'train', exact: true }).click();
    await page
      .getByRole('table', { name: 'Outputs of train' })
      .getByText('out/model.onnx')
      .waitFor();
    expect(await page.getByRole('button', { name: 'Cancel the run' }).count()).toBe(0);
  });

  it('fits a narrow screen in the dark', async () => {
    web.server.show(SOME);
    for (const url of ['/pipelines', `/pipelines/${pipelineId(1)}`]) {
      const page = await web.open(url, { size: NARROW, scheme: 'dark' });
      await expect.poll(() => page.getByLabel('Loading').count()).toBe(0);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
    }
  });
});
