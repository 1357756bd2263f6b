import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { busyFixture } from './fixture-data.ts';
import { loopFixture } from './fixture-loop.ts';
import { monitorsFixture } from './fixture-monitors.ts';
import { pipelineId } from './fixture-pipelines.ts';
import { runId } from './fixture-runs.ts';
import { underGuard } from './fixture-story.ts';
import { WebPages } from './web-pages.ts';

const BUSY = busyFixture({ endpoints: 2, predictions: 40, events: 20, runs: 12, pipelines: 5 });
const MONITORS = monitorsFixture();
const LOOP = loopFixture();
const web = new WebPages();
/** Other work goes on beside the tests. */
const WAIT_MS = 15_000;
/** A dozen pages, one after the other. */
const WALK_MS = 180_000;

/** Tables that nothing beside them saves, and charts that do not save as PNG and as CSV. */
const UNSAVED = `(() => {
  const buttons = (element) => [...element.querySelectorAll('button')];
  const saves = (element, text) => buttons(element).some((one) => one.textContent.trim() === text);
  const around = (table) => {
    let element = table.parentElement;
    while (element !== null && element.tagName !== 'MAIN' && !saves(element, 'CSV')) {
      element = element.parentElement;
    }
    const holds = element === null ? 0 : element.querySelectorAll('table').length;
    const saved = element === null ? 0 : buttons(element).filter((one) => one.textContent.trim() === 'CSV').length;
    return element !== null && element.tagName !== 'MAIN' && saved >= holds;
  };
  const tables = [...document.querySelectorAll('main table')].filter((one) => !around(one));
  const labels = [...document.querySelectorAll('main button[aria-label]')].map((one) => one.ariaLabel);
  const charts = [...document.querySelectorAll('main canvas')].map((canvas) => {
    const picture = canvas.closest('[role=img]');
    return picture === null ? 'a chart without a name' : picture.ariaLabel.split(': ')[0];
  });
  return [
    ...tables.map((one) => 'table ' + (one.ariaLabel ?? one.textContent.slice(0, 40))),
    ...charts.filter((name) => !labels.includes('Save ' + name + ' as PNG')).map((name) => 'PNG of ' + name),
    ...charts.filter((name) => !labels.includes('Save ' + name + ' as CSV')).map((name) => 'CSV of ' + name),
  ];
})()`;

/** Times that do not say their clock and zone, in a title and in words somewhere beside them. */
const UNCLEAR = `[...document.querySelectorAll('time')]
  .filter((time) => {
    const said = /\\((domain|wall) clock, UTC\\)$/.test(time.title);
    const around = time.closest('section, tr, header, [role=dialog], [role=status], main');
    const card = time.closest('section') ?? around;
    return !said || !/clock|Domain time|Wall time/.test(card?.textContent ?? '');
  })
  .map((time) => time.textContent + ' in ' + (time.closest('section')?.ariaLabel ?? 'the page'))`;

const COUNTS = `({
  tables: document.querySelectorAll('main table').length,
  charts: document.querySelectorAll('main canvas').length,
  times: document.querySelectorAll('time').length,
})`;

interface Counted {
  readonly tables: number;
  readonly charts: number;
  readonly times: number;
}

/** Walks pages, each with at least so many charts: what was wrong, and how much was seen. */
async function walk(pages: Pages): Promise<{ wrong: readonly string[]; seen: Counted }> {
  const wrong: string[] = [];
  let seen: Counted = { tables: 0, charts: 0, times: 0 };
  for (const [path, charts] of pages) {
    const page = await web.open(path);
    await expect.poll(() => page.getByLabel('Loading').count(), { timeout: WAIT_MS }).toBe(0);
    const drawn = page.locator('main canvas');
    await expect
      .poll(() => drawn.count(), { message: path, timeout: WAIT_MS })
      .toBeGreaterThanOrEqual(charts);
    const unsaved = await page.evaluate<readonly string[]>(UNSAVED);
    const unclear = await page.evaluate<readonly string[]>(UNCLEAR);
    wrong.push(...[...unsaved, ...unclear].map((one) => `${path}: ${one}`));
    const found = await page.evaluate<Counted>(COUNTS);
    seen = {
      tables: seen.tables + found.tables,
      charts: seen.charts + found.charts,
      times: seen.times + found.times,
    };
    await web.close();
  }
  return { wrong, seen };
}

type Pages = readonly (readonly [path: string, charts: number])[];

const PAGES: Pages = [
  ['/', 2],
  ['/endpoints', 1],
  ['/endpoints/late?revision=3', 2],
  ['/trace', 0],
  [`/trace/${BUSY.predictions[0]!.requestId}`, 0],
  ['/runs', 0],
  [`/runs/${runId(1)}`, 1],
  [`/runs/compare?runs=${encodeURIComponent(JSON.stringify([runId(1), runId(2)]))}`, 1],
  ['/pipelines', 0],
  [`/pipelines/${pipelineId(2)}?stage=train`, 0],
  ['/models', 0],
  ['/models/late', 0],
  ['/models/late/versions/2', 0],
  ['/features', 0],
];

const WATCHED: Pages = [
  ['/monitors', 0],
  [`/monitors/late`, 2],
  [`/monitors/late/evaluations/${MONITORS.evaluations[0]!.id}`, 0],
  [`/loop`, 1],
  ...LOOP.decisions.map(({ id, loop }) => [`/loop/${loop}/decisions/${String(id)}`, 0] as const),
];

describe('every chart and table can be saved, and every time says its clock', () => {
  it(
    'on the pages of what is served and tracked',
    async () => {
      web.server.show({ ...BUSY, story: underGuard(BUSY.story) });
      const { wrong, seen } = await walk(PAGES);
      expect(wrong).toEqual([]);
      // A walk that saw nothing would find nothing.
      expect(seen.tables).toBeGreaterThan(15);
      expect(seen.charts).toBeGreaterThan(6);
      expect(seen.times).toBeGreaterThan(30);
    },
    WALK_MS,
  );

  it(
    'on the pages of what watches and decides',
    async () => {
      web.server.show({ ...BUSY, watch: { monitors: MONITORS, loop: LOOP } });
      expect((await walk(WATCHED)).wrong).toEqual([]);
    },
    WALK_MS,
  );

  it('as files that hold what is seen', async () => {
    web.server.show(BUSY);
    const page = await web.open(`/runs/${runId(1)}`);
    const save = async (name: string) => {
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name, exact: true }).click(),
      ]);
      return { name: saved.suggestedFilename(), bytes: await readFile(await saved.path()) };
    };
    await page.locator('canvas').waitFor();
    const csv = await save('Save auc as CSV');
    expect(csv.name).toBe('auc.csv');
    const lines = csv.bytes.toString('utf8').split('\r\n');
    expect(lines[0]).toBe('step,time (wall clock),auc');
    expect(lines.length).toBe(602);
    const png = await save('Save auc as PNG');
    expect(png.bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
  });
});
