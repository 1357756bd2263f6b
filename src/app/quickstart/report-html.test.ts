import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../../test/e2e/browser.ts';
import { formatInstant, micros, parseInstant } from '../../base/time.ts';
import { emptyReport, type QuickstartReport } from './quickstart-report.ts';
import { reportHtml } from './report-html.ts';

const NOTHING = { auc: null, logloss: null };
const HOSTILE = `<script>x=1</script>" onload='y' & </style></svg>\u0007`;
/** The narrowest phones in use. */
const NARROW = 360;

/** Four months with two promotions, a rejection, a rollback and a week without labels. */
function fullReport(): QuickstartReport {
  const decision = (at: string, kind: string, reason: string) => ({ at, kind, reason });
  return {
    ...emptyReport(),
    phases: [
      { name: 'train', seconds: 31 },
      { name: 'replay', seconds: 301.84 },
    ],
    training: { rows: 230_123, leftOut: { unfinished_window: 412 } },
    deployment: [{ name: 'golden', result: 'pass', summary: '1,000 golden requests' }],
    from: '2001-03-01T00:00:00Z',
    until: '2001-07-01T00:00:00Z',
    requests: 208_123,
    answered: 208_123,
    logged: 208_123,
    labelled: 207_998,
    recomputed: 208_123,
    versions: [
      { version: 1, requests: 108_123 },
      { version: 2, requests: 60_000 },
      { version: 4, requests: 40_000 },
    ],
    decisions: [
      decision('2001-04-29T02:00:00Z', 'admitted', 'AUC 0.70, was 0.75: retrains.'),
      decision('2001-05-01T10:00:00Z', 'promoted', 'v2: the guard passed.'),
      decision('2001-06-01T00:00:00Z', 'rejected', 'v3 is no better than v2.'),
      decision('2001-06-02T06:00:00Z', 'rolled_back', 'v3: log-loss worse by 0.108.'),
      decision('2001-06-22T10:00:00Z', 'promoted', 'v4: the guard passed.'),
    ],
    static: { auc: 0.7412, logloss: 0.4312 },
    loop: { auc: 0.7483, logloss: 0.42791 },
    weeks: Array.from({ length: 17 }, (_, index) => week(index)),
    level: 1,
    checks: [
      { id: 'A1', state: 'pass' },
      { id: 'C4', state: 'fail' },
      { id: 'D1', state: 'pass' },
      { id: 'D12', state: 'unknown' },
    ],
    staged: [{ at: '2001-06-01T00:00:00Z', what: 'a challenger learns shuffled labels' }],
  };
}

function week(index: number): QuickstartReport['weeks'][number] {
  const start = parseInstant('2001-03-01T00:00:00Z') ?? 0;
  const from = formatInstant(micros(start + index * 7 * 86_400_000_000));
  if (index === 5) return { from, static: NOTHING, loop: NOTHING };
  const auc = 0.74 + 0.02 * Math.sin(index);
  const gain = index < 9 ? 0 : 0.006;
  return {
    from,
    static: { auc, logloss: 1.17 - auc },
    loop: { auc: auc + gain, logloss: 1.17 - auc - gain / 2 },
  };
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

/** The report in a browser; fails when it complains, or asks for anything. */
async function shown(
  report: QuickstartReport,
  look: (page: Page) => Promise<void>,
  width = 1100,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => complaints.push(request.url()));
  try {
    await page.setContent(reportHtml(report));
    await look(page);
    expect(complaints).toEqual([]);
  } finally {
    await page.close();
  }
}

describe('the page', () => {
  it('shows text of others as text, wherever it stands', async () => {
    const report: QuickstartReport = {
      ...fullReport(),
      phases: [{ name: HOSTILE, seconds: 1 }],
      training: { rows: 1, leftOut: { [HOSTILE]: 1 } },
      deployment: [{ name: HOSTILE, result: HOSTILE, summary: HOSTILE }],
      decisions: [{ at: HOSTILE, kind: HOSTILE, reason: HOSTILE }],
      weeks: [{ ...week(0), from: HOSTILE }],
      checks: [{ id: HOSTILE, state: HOSTILE }],
      staged: [{ at: '2001-06-01T00:00:00Z', what: HOSTILE }],
    };
    await shown(report, async (page) => {
      expect(await page.locator('script, [onload]').count()).toBe(0);
      const visible = HOSTILE.replace('\u0007', String.raw`\x07`);
      const texts = await page.locator('td.text').allTextContents();
      expect(texts.filter((text) => text.includes(visible))).toHaveLength(2);
      expect((await page.locator('body').innerHTML()).includes('\u0007')).toBe(false);
    });
  });

  it.each([
    ['a full report', fullReport()],
    ['an empty report', emptyReport()],
  ])('is well-formed: %s', async (_, report) => {
    expect(unbalanced(reportHtml(report))).toEqual([]);
    await shown(report, async (page) => {
      const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
      expect(ids).toEqual([...new Set(ids)]);
      const aims = await page.locator('a').evaluateAll((all) => all.map((it) => it.hash.slice(1)));
      expect(aims.filter((aim) => !ids.includes(aim))).toEqual([]);
    });
  });

  it.each([NARROW, 400, 1100])('fits a width of %i', async (width) => {
    await shown(
      fullReport(),
      async (page) => {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        const charts = await page.locator('.chart svg').filter({ visible: true }).count();
        expect(charts).toBe(2);
      },
      width,
    );
  });

  it('says what is missing when nothing was measured', () => {
    const html = reportHtml(emptyReport());
    for (const text of [
      'nothing is compared yet',
      'No version answered a request.',
      'No requests were replayed, so there is nothing to add up.',
      'Nothing was decided.',
      'None were staged.',
      'The level was not computed.',
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/NaN|Infinity|undefined|null|It adds up/);
  });
});

describe('the comparison', () => {
  it('is said in words and by week, with weeks that have no labels', async () => {
    await shown(fullReport(), async (page) => {
      const text = await page.locator('main').innerText();
      expect(text).toContain('AUC 0.0071 higher (better), log-loss 0.0033 lower (better)');
      expect(text).toContain('By AUC it is better in 8, worse in 0 and equal in 8 of 16 weeks.');
      const rows = page.locator('.weeks tbody tr');
      expect(await rows.count()).toBe(18);
      expect(await rows.nth(6).innerText()).toMatch(/2001-04-05\s+no labels of both outcomes/);
      expect(await rows.nth(0).locator('b').allTextContents()).toEqual(['0.7483', '0.4279']);
    });
  });

  it('says so when the loop is worse', async () => {
    const report = { ...fullReport(), loop: { auc: 0.7402, logloss: 0.4322 } };
    await shown(report, async (page) => {
      const text = await page.locator('main').innerText();
      expect(text).toContain('AUC 0.0010 lower (worse), log-loss 0.0010 higher (worse)');
      const row = page.locator('.weeks tbody tr').first();
      expect(await row.locator('b').allTextContents()).toEqual(['0.7412', '0.4312']);
      expect(await row.locator('.bad').count()).toBe(2);
    });
  });
});

describe('the charts', () => {
  it('leave a gap where a week has no figure', async () => {
    await shown(fullReport(), async (page) => {
      const chart = page.locator('.chart svg.wide').first();
      const lines = await chart
        .locator('path')
        .evaluateAll((all) => all.map((it) => it.getAttribute('d')?.match(/[ML]/g)?.join('')));
      expect(lines).toEqual(['MLLLLMLLLLLLLLLL', 'MLLLLMLLLLLLLLLL']);
    });
  });

  it.each(['wide', 'narrow'])('mark what was decided and staged, apart: %s', async (size) => {
    const crowd = fullReport().decisions.map((it) => ({ ...it, at: '2001-06-30T22:00:00Z' }));
    const report = { ...fullReport(), decisions: [...fullReport().decisions, ...crowd] };
    await shown(
      report,
      async (page) => {
        const chart = page.locator(`.chart svg.${size}`).first();
        expect(await chart.locator('.badge').count()).toBe(9);
        const boxes = await chart
          .locator('.badge')
          .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().toJSON() as Box));
        expect(boxes.flatMap((one, at) => boxes.slice(at + 1).filter(overlaps(one)))).toEqual([]);
        const plot = await chart.evaluate((it) => it.getBoundingClientRect().toJSON() as Box);
        expect(boxes.filter((box) => box.left < plot.left || box.right > plot.right)).toEqual([]);
      },
      size === 'wide' ? 1100 : NARROW,
    );
  });

  it('tell those who do not see them what they show', async () => {
    await shown(fullReport(), async (page) => {
      const chart = page.getByRole('img', { name: /^AUC by week/ });
      const text = await chart.locator('desc').textContent();
      expect(text).toContain('in 16 of 17 weeks');
      expect(text).toContain('1 promoted on 2001-05-01');
      expect(text).toContain('3 staged on 2001-06-01');
    });
  });
});

describe('the proof', () => {
  it('adds up when every count is the same', () => {
    const html = reportHtml(fullReport());
    expect(html).toContain('It adds up: 208,123 requests');
    expect(html).not.toContain('It does not add up');
  });

  it.each([
    [{ answered: 208_120 }, 'requests not answered 3; requests by version beyond the answers 3'],
    [{ logged: 208_124 }, 'rows of the log without an answer 1; logged vectors not recomputed 1'],
    [{ recomputed: 208_000 }, 'logged vectors not recomputed 123.'],
    [{ mismatches: 7 }, 'recomputed vectors unlike the served ones 7.'],
    [{ labelled: 208_130 }, 'labels without a row in the log 7.'],
    [{ versions: [{ version: 1, requests: 208_100 }] }, 'answers of no version 23.'],
  ])('does not add up, and shows it in red: %o', async (change, says) => {
    await shown({ ...fullReport(), ...change }, async (page) => {
      const verdict = page.locator('.verdict.broken');
      expect(await verdict.innerText()).toContain(`It does not add up: `);
      expect(await verdict.innerText()).toContain(says);
      const colour = await page.evaluate<string>(
        `getComputedStyle(document.querySelector('.verdict')).color`,
      );
      const [red = 0, green = 0] = [...colour.matchAll(/\d+/g)].map(Number);
      expect(red).toBeGreaterThan(2 * green);
    });
  });
});

it('lists every decision, staged fault and check', async () => {
  await shown(fullReport(), async (page) => {
    const text = await page.locator('main').innerText();
    for (const { reason } of fullReport().decisions) expect(text).toContain(reason);
    expect(text).toContain('a challenger learns shuffled labels');
    expect(text).toMatch(/not in the\s+real data/);
    expect(text).toContain('Checks of level 3 that were exercised: 1 of 2.');
    expect(text).toMatch(/together\s+332\.8/);
    expect(text).toMatch(/version 1\s+108,123\s+52\.0 %/);
  });
});

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function overlaps(one: Box): (other: Box) => boolean {
  return (other) =>
    one.left < other.right &&
    other.left < one.right &&
    one.top < other.bottom &&
    other.top < one.bottom;
}

/** Tags that are not closed in the order they were opened, which a browser would hide. */
function unbalanced(html: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [tag, isEnd, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (['meta', 'br'].includes(name) || tag.endsWith('/>')) continue;
    if (isEnd === '') open.push(name);
    else if (open.pop() !== name) wrong.push(tag);
  }
  return [...wrong, ...open];
}
