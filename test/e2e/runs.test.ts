import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { busyFixture, emptyFixture, event } from './fixture-data.ts';
import { runId } from './fixture-runs.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const SOME = busyFixture({ endpoints: 1, predictions: 0, events: 10, runs: 130 });

const web = new WebPages();

describe('the list of runs', () => {
  it('says how to track the first run where there is none', async () => {
    const page = await web.open('/runs');
    await page.getByText('Nothing was tracked yet').waitFor();
    await page.getByText('millwright run train').waitFor();
    await page.getByText(`export MLFLOW_TRACKING_URI=${web.server.url}`).waitFor();
    await picture(page, 'runs-empty');
  });

  it('shows what runs measured, and in which parameters they differ', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs');
    const failed = page.getByRole('row', { name: /odd-otter-104/ });
    expect(await failed.innerText()).toMatch(/failed\s+0\.7689\s+NaN\s+47\.8\s+0\.1\s+5/);
    expect(await page.getByRole('columnheader', { name: 'seed' }).count()).toBe(0);
    await page.getByText('1–25 of 100 read so far').waitFor();
    await page.getByRole('button', { name: 'Read more' }).click();
    await page.getByText('1–25 of 130').waitFor();
    await picture(page, 'runs');
  });

  it('is reached by the links that MLflow’s client prints', async () => {
    web.server.show(SOME);
    const page = await web.open('/#/experiments/2');
    await page.waitForURL('**/runs?experiment=2');
    const run = runId(3);
    await page.goto(`${web.server.url}/#/experiments/2/runs/${run.replace('run_', '')}`);
    await page.waitForURL(`**/runs/${run}`);
  });

  it('lets the server sort, and keeps the order in the address', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs');
    const auc = page.getByRole('columnheader', { name: 'auc' });
    await auc.getByRole('button').click();
    await page.waitForURL('**/runs?order=metrics.auc+DESC');
    expect(await auc.getAttribute('aria-sort')).toBe('descending');
    await auc.getByRole('button').click();
    await page.waitForURL('**/runs?order=metrics.auc+ASC');
    const first = page.getByRole('table', { name: 'Runs' }).locator('tbody tr').first();
    await expect.poll(() => first.innerText()).toContain('229');
    await page.reload();
    await expect.poll(() => first.innerText()).toContain('229');
    expect(await auc.getAttribute('aria-sort')).toBe('ascending');
    expect(await page.getByRole('columnheader', { name: 'Took' }).getByRole('button').count()).toBe(
      0,
    );
  });

  it('finds runs by a part of their name, and by experiment', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs');
    await page.getByRole('table', { name: 'Runs' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('otter-1');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/runs?filter=otter-1');
    await expect.poll(() => rows(page, 'Runs')).toBe(25);
    await page.getByRole('combobox', { name: 'Experiment' }).click();
    await page.getByRole('option', { name: 'churn' }).click();
    await page.waitForURL('**/runs?filter=otter-1&experiment=2');
    await expect.poll(() => rows(page, 'Runs')).toBeLessThan(20);
    expect(await page.getByRole('columnheader', { name: 'Experiment' }).count()).toBe(0);
    await page.getByLabel('Search runs').fill('no such run');
    await page.getByLabel('Search runs').press('Enter');
    await page.getByText('No run is like that').waitFor();
  });

  it('shows why a filter was refused, with the filter still there to correct', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs?filter=nonsense%20%3D%3D%3D');
    await page.getByRole('alert').getByText('Invalid clause(s) in filter string').waitFor();
    expect(await page.getByLabel('Search runs').inputValue()).toBe('nonsense ===');
    web.forgive(/400 \(Bad Request\)/);
  });

  it('takes the columns that the reader chooses', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByLabel('Find a metric or parameter').fill('seed');
    await page.getByRole('checkbox', { name: 'params.seed' }).check();
    await page.getByRole('columnheader', { name: 'seed' }).waitFor();
    await page.reload();
    await page.getByRole('columnheader', { name: 'seed' }).waitFor();
  });
});

describe('runs compared', () => {
  const compared = (...indices: readonly number[]): string =>
    `/runs/compare?runs=${encodeURIComponent(JSON.stringify(indices.map(runId)))}`;

  it('are chosen in the list, by keyboard as well, and in the address', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs');
    const compare = page.getByRole('button', { name: /^Compare/ });
    expect(await compare.isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: 'Compare brave-heron-101' }).check();
    await page.getByRole('checkbox', { name: 'Compare quiet-lynx-102' }).focus();
    await page.keyboard.press('Space');
    await page.reload();
    expect(await page.getByRole('checkbox', { name: 'Compare quiet-lynx-102' }).isChecked()).toBe(
      true,
    );
    await page.getByRole('button', { name: 'Compare 2' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/runs/compare?runs=*');
    await page.getByRole('table', { name: 'Runs compared' }).waitFor();
    await page.getByRole('link', { name: 'Choose others' }).click();
    expect(await page.getByRole('checkbox', { name: 'Compare brave-heron-101' }).isChecked()).toBe(
      true,
    );
  });

  it('show what differs from the first, and the rest when asked', async () => {
    web.server.show(SOME);
    const page = await web.open(compared(1, 2, 6));
    const params = page.getByRole('table', { name: 'Parameters' });
    expect(await params.innerText()).toMatch(/lr\s+0\.05\s+0\.033\d+\s+0\.033/);
    expect(await params.getByTitle('differs from the first run').count()).toBe(4);
    expect(await params.innerText()).not.toContain('seed');
    expect(await page.getByRole('table', { name: 'Made of' }).innerText()).toMatch(/Environment/);
    await page.getByRole('region', { name: 'Tags' }).getByText('All 1 are the same').waitFor();
    await page.getByRole('img', { name: /^auc of 3 runs: by step/ }).waitFor();
    await page.locator('canvas').waitFor();
    await picture(page, 'runs-compared');
    await page.getByLabel('Also what is the same in all of them').check();
    await expect.poll(() => params.innerText()).toContain('seed');
    await page.getByRole('button', { name: 'Leave out brave-lynx-106' }).click();
    await expect.poll(() => rows(page, 'Runs compared')).toBe(2);
  });

  it('lay curves over each other, by time, by logarithm, and smoothed only by name', async () => {
    web.server.show(SOME);
    const page = await web.open(`${compared(1, 2, 7)}&metric=log_loss`);
    const chart = page.getByRole('img', { name: /^log_loss of 3 runs/ });
    await chart.waitFor();
    expect(await chart.getAttribute('aria-label')).not.toContain('smoothed');
    await page.getByText('log', { exact: true }).click();
    await page.getByText('by time').click();
    await page.getByRole('combobox', { name: 'Smoothing' }).click();
    await page.getByRole('option', { name: 'smoothed (EMA 0.9)' }).click();
    await page.waitForURL('**&scale=log&axis=time&smooth=0.9');
    expect(await chart.getAttribute('aria-label')).toMatch(
      /by time since.*smoothed: an exponential moving average of weight 0\.9.*1 run without it/,
    );
    await picture(page, 'runs-smoothed');
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save log_loss of 3 runs as CSV' }).click(),
    ]);
    const [header, first] = (await readFile(await saved.path(), 'utf8')).split('\r\n');
    expect(header).toBe('run,seconds since the first value,log_loss,log_loss smoothed (EMA 0.9)');
    expect(first).toMatch(/^brave-heron-101,0,0\.9(2|19)\d*,0\.9(2|19)/);
  });

  it('say how to choose where fewer than two are', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs/compare');
    await page.getByText('No run is chosen').waitFor();
    await page.getByRole('link', { name: 'To the list of runs' }).click();
    await page.waitForURL('**/runs');
  });
});

describe('one run', () => {
  it('tells what it was made of, and what came of it', async () => {
    web.server.show(SOME);
    const page = await web.open(`/runs/${runId(1)}`);
    const text = async (name: string): Promise<string> =>
      await page.getByRole('region', { name, exact: true }).innerText();
    await page.getByRole('region', { name: 'Made of' }).waitFor();
    expect(await text('Made of')).toMatch(
      /python train\.py.*late_train@v3.*flights\.departures version 118/s,
    );
    expect(await text('Run')).toMatch(/ci.*1 min 1 s.*late v2/s);
    expect(await text('Parameters')).toMatch(/lr\s+0\.05/);
    expect(await text('Tags')).toMatch(/team\s+flights/);
    await page.locator('canvas').waitFor();
    await picture(page, 'run');
    const pipeline = page.getByRole('link', { name: 'prun_01997c3f' });
    expect(await pipeline.getAttribute('href')).toBe('/pipelines/prun_01997c3f?stage=train');
    const about = page.getByRole('region', { name: 'Run', exact: true });
    await about.getByRole('link', { name: 'late v2' }).click();
    await page.waitForURL('**/models/late/versions/2');
  });

  it('draws the chosen metric, every page of it, by step or by time', async () => {
    web.server.show(SOME);
    const page = await web.open(`/runs/${runId(1)}`);
    await page.getByRole('button', { name: 'log_loss' }).click();
    await page.waitForURL('**?metric=log_loss');
    await page.getByText(/^2,500 values; least 0\.42\d*, most 0\.92; 24 NaN left out$/).waitFor();
    await page.getByText('by time').click();
    await page.waitForURL('**?metric=log_loss&axis=time');
    await page.getByRole('img', { name: /^log_loss: by time/ }).waitFor();
  });

  it('walks folders of artifacts and shows small files', async () => {
    web.server.show(SOME);
    const page = await web.open(`/runs/${runId(1)}`);
    await page.getByRole('link', { name: 'File report.json' }).click();
    const preview = page.getByRole('region', { name: 'Preview of report.json' });
    await preview.getByText('"ORD": 0.76').waitFor();
    await page.getByRole('link', { name: 'File log.txt' }).click();
    await page.getByText('Files up to 256 KiB are shown here').waitFor();
    await page.getByRole('link', { name: 'Folder plots' }).click();
    await page.getByRole('link', { name: 'File calibration.svg' }).click();
    const image = page.getByRole('img', { name: 'calibration.svg' });
    await image.waitFor();
    const width = `document.querySelector('img[alt="calibration.svg"]').naturalWidth`;
    await expect.poll(() => page.evaluate(width)).toBe(240);
    await picture(page, 'run-artifact');
    await page.getByRole('link', { name: 'all' }).click();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download report.json' }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe('report.json');
    expect(JSON.parse(await readFile(await saved.path(), 'utf8'))).toMatchObject({ auc: 0.7741 });
  });

  it('says what to do where nothing was pinned, measured or written', async () => {
    web.server.show(SOME);
    const page = await web.open(`/runs/${runId(7)}`);
    await page.getByText('Nothing tells what this run was made of').waitFor();
    await page.getByText('millwright run STAGE').waitFor();
    await page.getByText('Nothing was measured').waitFor();
    await page.getByText('No file was logged').waitFor();
    await picture(page, 'run-bare');
  });

  it('explains an id that no run has, and a file that is gone', async () => {
    web.server.show(SOME);
    const page = await web.open('/runs/run_00000000000000000000000000000000');
    await page.getByRole('alert').getByText('RUN_NOT_FOUND').waitFor();
    await page.goto(`${web.server.url}/runs/${runId(1)}?file=gone.txt`);
    await page.getByRole('alert').getByText('ARTIFACT_NOT_FOUND').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });

  it('follows a run as it goes on', async () => {
    web.server.show(SOME);
    const page = await web.open(`/runs/${runId(0)}`);
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    await page.getByText('not yet').waitFor();
    const runs = SOME.tracking.runs.map((run, index) =>
      index === 0 ? { ...run, status: 'FINISHED' as const, endedAt: run.startedAt } : run,
    );
    web.server.show({ ...SOME, tracking: { ...SOME.tracking, runs } });
    web.server.emit({ ...event(11, ['late']), subject: `run/${runId(0)}`, kind: 'run.finished' });
    await page.getByText('0 ms').waitFor();
    expect(await page.getByText('not yet').count()).toBe(0);
  });
});

it('fits runs on a narrow screen, and in the dark', async () => {
  web.server.show(SOME);
  const two = encodeURIComponent(JSON.stringify([runId(1), runId(7)]));
  for (const url of [
    '/runs',
    `/runs/${runId(1)}?file=report.json`,
    `/runs/${runId(7)}`,
    `/runs/compare?runs=${two}`,
  ]) {
    const page = await web.open(url, { size: NARROW, scheme: 'dark' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await expect.poll(() => page.getByLabel('Loading').count()).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, `narrow${url.replaceAll(/\W+/g, '-').slice(0, 30)}`);
  }
  // The pages still open would ask for runs that are gone, and complain.
  await web.close();
  web.server.show(emptyFixture());
  const page = await web.open('/runs', { size: NARROW });
  await page.getByText('Nothing was tracked yet').waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

it('goes to every page by two keys', async () => {
  web.server.show(SOME);
  const page = await web.open('/');
  for (const [key, path] of [
    ['r', '/runs'],
    ['m', '/models'],
    ['f', '/features'],
    ['l', '/lineage'],
    ['o', '/'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(`${web.server.url}${path}`);
  }
});
