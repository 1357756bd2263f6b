import { expect, it } from 'vitest';

import { busyFixture, requestId } from './fixture-data.ts';
import { loopFixture } from './fixture-loop.ts';
import { monitorsFixture } from './fixture-monitors.ts';
import { pipelineId } from './fixture-pipelines.ts';
import { runId } from './fixture-runs.ts';
import { WebPages } from './web-pages.ts';

const web = new WebPages();

/** Every page that shows numbers, with data. */
const PAGES = [
  '/',
  '/endpoints',
  '/endpoints/late',
  '/monitors',
  '/monitors/late',
  '/loop',
  '/loop/late/decisions/4',
  '/trace?endpoint=late',
  `/trace/${requestId(0)}`,
  '/runs',
  `/runs/${runId(1)}`,
  '/pipelines',
  `/pipelines/${pipelineId(1)}`,
  '/models',
  '/models/late',
  '/models/late/versions/1',
  '/features',
  '/features/services/late_v1',
  '/features/training-sets/late_train',
  '/features/training-sets/late_train/versions/3',
  '/lineage?of=model%2Flate%402',
];

/** Where a page shows the rows themselves, or numbers that no row is behind. */
const ENDS: readonly (readonly [what: RegExp, why: string])[] = [
  [/ table (Inputs|Outputs|Labels of .*)$/, 'what one request brought and got: the row itself'],
  [/ table (Tags|Data sets|Logged models)$/, 'what a run recorded, word by word'],
  [/ table (Figures of both versions|Guardrails)$/, 'a gate; it names its rows beside them'],
  [/ table Attempts of .*$/, 'each attempt of a step: the row itself'],
  [/ table (Signature|Features of .*)$/, 'a declaration'],
  [/ card Mean of /, 'of the rows that the card beside it leads to'],
  [/ card Left out$/, 'rows that are in no table'],
];

interface Shown {
  readonly what: string;
  readonly isLinked: boolean;
}

/** Cards with one number each, and tables whose rows are of something. */
const SHOWN = `[
  ...[...document.querySelectorAll('[data-tone][class*="card"]')].map((card) => ({
    what: 'card ' + card.firstElementChild.textContent,
    isLinked: card.querySelector('a[href], button') !== null || /below/.test(card.textContent),
  })),
  ...[...document.querySelectorAll('table')].map((table) => ({
    what: 'table ' + (table.getAttribute('aria-label') ?? table.textContent.slice(0, 40)),
    isLinked: table.querySelector('tbody a[href], tbody button') !== null,
  })),
]`;

it('has a way on from each card, and from each table, to what is behind it', async () => {
  const busy = busyFixture({ endpoints: 2, predictions: 20, events: 20, runs: 12, pipelines: 3 });
  web.server.show({ ...busy, watch: { monitors: monitorsFixture(), loop: loopFixture() } });
  web.forgive(/404 \(Not Found\)/);
  const bare: string[] = [];
  for (const url of PAGES) {
    const page = await web.open(url);
    const shown = () => page.evaluate<Shown[]>(SHOWN);
    await expect.poll(async () => (await shown()).length, { message: url }).toBeGreaterThan(0);
    await page.waitForLoadState('networkidle');
    for (const { what, isLinked } of await shown()) {
      const one = `${url} ${what}`;
      if (!isLinked && !ENDS.some(([end]) => end.test(one))) bare.push(one);
    }
    await web.close();
  }
  expect(bare).toEqual([]);
}, 120_000);
