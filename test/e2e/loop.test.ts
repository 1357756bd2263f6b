import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { busyFixture, emptyFixture, event } from './fixture-data.ts';
import { idleLoop, longLoop, loopFixture, type LoopFixture } from './fixture-loop.ts';
import { monitorsFixture } from './fixture-monitors.ts';
import { NARROW, overflow, picture, rows, WebPages } from './web-pages.ts';

const NONE: LoopFixture = { loops: [], decisions: [], instances: [], sentences: [] };

/** Charts load when they are first drawn, and the machine may be busy. */
const LOADED_MS = 10_000;

const web = new WebPages();

function show(loop: LoopFixture): void {
  const fixture =
    loop === NONE ? emptyFixture() : busyFixture({ endpoints: 1, predictions: 9, events: 3 });
  web.server.show({ ...fixture, watch: { monitors: monitorsFixture(), loop } });
}

describe('the loop', () => {
  it('says how to declare the first one', async () => {
    show(NONE);
    const page = await web.open('/loop');
    await page.getByText('Nothing is retrained by itself').waitFor();
    await page.getByText('millwright apply').waitFor();
    await picture(page, 'loop-empty');
  });

  it('shows what it does now, and says why', async () => {
    show(loopFixture());
    const page = await web.open('/loop');
    const state = await page.getByRole('region', { name: 'State now' }).innerText();
    expect(state).toMatch(/Champion\s+v4.*under guard.*2,114 of 4,000 requests.*next look/s);
    expect(state).toMatch(/Budget\s+3 of 8.*Breaker\s+closed.*1 of 3 failures/s);
    const why = page.getByRole('region', { name: /^Why it does what it does/ });
    await why.getByText('Guarding since 2001-05-22').waitFor();
    await page.locator('canvas').waitFor();
    await picture(page, 'loop');
  });

  it('lists decisions that acted apart from wishes held back, in the address', async () => {
    show(loopFixture());
    const page = await web.open('/loop');
    await page.getByRole('table', { name: 'Decisions' }).waitFor();
    await expect.poll(() => rows(page, 'Decisions')).toBe(10);
    const chart = page.getByRole('img', { name: /^Decisions of late: 10 decisions: deployed 2/ });
    await chart.waitFor();
    await page.getByText('held back', { exact: true }).first().click();
    await page.waitForURL('**show=held**');
    await expect.poll(() => rows(page, 'Decisions')).toBe(1);
    await page.goto(`${web.server.url}/loop?show=acted`);
    await page.getByRole('table', { name: 'Decisions' }).waitFor();
    await expect.poll(() => rows(page, 'Decisions')).toBe(9);
    const instances = page.getByRole('table', { name: 'Instances' });
    await instances
      .getByRole('row', { name: /promoted/ })
      .getByRole('link')
      .first()
      .click();
    await page.waitForURL('**instance=li_**');
    await page.getByRole('button', { name: /^Show decisions of every instance/ }).waitFor();
    await expect.poll(() => rows(page, 'Decisions')).toBe(5);
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      page
        .getByRole('region', { name: 'Decisions' })
        .getByRole('button', { name: 'CSV', exact: true })
        .click(),
    ]);
    expect(await readFile(await csv.path(), 'utf8')).toContain('gate passed');
    await page.getByRole('button', { name: /^Show decisions of every instance/ }).click();
    await expect.poll(() => rows(page, 'Decisions')).toBe(10);
  });

  it('stays usable with a thousand decisions', async () => {
    show(longLoop(1000));
    const page = await web.open('/loop');
    await page.getByText('1–15 of 200 read so far').waitFor();
    await page.getByRole('button', { name: 'Read older' }).click();
    await page.getByText('of 400 read so far').waitFor();
    await page.getByLabel('Filter Decisions').fill('only 333 requests');
    await expect.poll(() => rows(page, 'Decisions')).toBe(1);
  });

  it('shows a new decision as it is made', async () => {
    show({ ...loopFixture(), decisions: [] });
    const page = await web.open('/loop');
    await page.getByText('Nothing was decided yet').waitFor();
    await page.getByRole('status', { name: /Connection: live/ }).waitFor();
    show(loopFixture());
    web.server.emit({ ...event(11, ['late']), subject: 'loop/late', kind: 'loop.decided' });
    await page.getByRole('table', { name: 'Decisions' }).waitFor();
    await expect.poll(() => rows(page, 'Decisions')).toBe(10);
  });
});

describe('what a person may do', () => {
  it('asks for a reason, and shows the decision even when it is a refusal', async () => {
    show(idleLoop('broken'));
    const page = await web.open('/loop');
    await page.getByText('3 instances in a row did not end in a promotion').waitFor();
    await page.getByRole('button', { name: 'Retrain' }).click();
    const dialog = page.getByRole('dialog', { name: 'Retrain late' });
    const send = dialog.getByRole('button', { name: 'Retrain' });
    expect(await send.isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('the fleet changed');
    await picture(page, 'loop-retrain');
    await send.click();
    await dialog.getByText('asked for by you: the fleet changed; no retrain').waitFor();
    await dialog.getByRole('link', { name: /^Decision / }).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
  });

  it('puts a version before the gate, and says that a reason may override it', async () => {
    show(idleLoop('broken'));
    const page = await web.open('/loop');
    await page.getByRole('button', { name: 'Challenge', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Challenge late' });
    const send = dialog.getByRole('button', { name: 'Challenge' });
    await dialog.getByLabel('Reason').fill('it was trained on the new fleet');
    expect(await send.isDisabled()).toBe(true);
    await dialog.getByRole('combobox', { name: 'Version of late' }).press('ArrowDown');
    const choices = page.getByRole('option');
    await choices.first().waitFor();
    const shown = await choices.allInnerTexts();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await dialog.getByLabel('Roll it out even when the gate rejects it').check();
    await picture(page, 'loop-challenge');
    await send.click();
    await dialog.getByText(/^v\d+ is put before the gate: .* fleet, whatever it says\./).waitFor();
    const champion = idleLoop('broken').loops[0]!.champion!.version;
    expect(shown.some((one) => one.startsWith(`v${champion}`))).toBe(false);
  });

  it('freezes until a time with its zone, by keyboard', async () => {
    show(loopFixture());
    const page = await web.open('/loop');
    await page.getByRole('button', { name: 'Freeze' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Freeze late' });
    await dialog.getByLabel('Reason').fill('holidays');
    await dialog.getByLabel('Until').fill('2001-06-01');
    await page.keyboard.press('Enter');
    await dialog.getByText('A time with its zone').waitFor();
    await dialog.getByLabel('Until').fill('2001-06-01 00:00:00Z');
    await page.keyboard.press('Enter');
    await dialog.getByText('Frozen until 2001-06-01T00:00:00Z: holidays').waitFor();
  });

  it('offers approval while a version waits, and resuming while it is stopped', async () => {
    show(idleLoop('held'));
    const page = await web.open('/loop');
    await page.getByRole('button', { name: 'Approve' }).click();
    const dialog = page.getByRole('dialog', { name: 'Approve late' });
    await dialog.getByText('v4 passed the gate').waitFor();
    await dialog.getByLabel('Reason').fill('looked at the slices');
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await dialog.getByText('Decided: looked at the slices').waitFor();
    show(idleLoop('stopped'));
    await page.goto(`${web.server.url}/loop`);
    await page.getByText('Stopped by ana').waitFor();
    expect(await page.getByRole('button', { name: 'Stop' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).waitFor();
  });
});

describe('a decision', () => {
  it('opens the numbers of its gate with their interval, and what is behind them', async () => {
    show(loopFixture());
    const page = await web.open('/loop');
    await page
      .getByRole('row', { name: /gate passed/ })
      .getByRole('link')
      .first()
      .click();
    await page.waitForURL('**/loop/late/decisions/4');
    const gate = page.getByRole('region', { name: 'Gate' });
    expect(await gate.innerText()).toMatch(
      /2001-04-20 00:00:00Z until before 2001-04-23.*late_train@v3.*50,692 rows.*0.2741\s+0.292/s,
    );
    await gate
      .getByRole('img', { name: /better by 0\.018 in log_loss; bounds 0\.009 and 0\.027/ })
      .waitFor();
    expect(await page.getByRole('table', { name: 'Guardrails' }).innerText()).toMatch(
      /latency\s+vetoed\s+a run takes 9 ms/,
    );
    await page.getByText('1ae6e4f86384').waitFor();
    await page.locator('canvas').waitFor();
    await picture(page, 'decision-gate');
    await gate.getByRole('link', { name: 'late_train@v3' }).click();
    await page.waitForURL('**/features/training-sets/late_train/versions/3');
  });

  it('tells how things stood when it was asked whether to train', async () => {
    show(loopFixture());
    const page = await web.open('/loop/late/decisions/2');
    const facts = await page.getByRole('region', { name: 'Situation' }).innerText();
    expect(facts).toMatch(/route revision 1.*98,382.*distance changed its unit/s);
    await page.getByText('version 1 has answered for 60 days', { exact: true }).waitFor();
    await picture(page, 'decision-situation');
    await page
      .getByRole('region', { name: 'The way of this instance (domain clock)' })
      .getByRole('link', { name: 'Decision 6' })
      .click();
    const guard = page.getByRole('region', { name: 'Guard' });
    const requests = guard.getByRole('link', { name: '4,880 requests by v2' });
    expect(await requests.getAttribute('href')).toMatch(/^\/trace\?endpoint=late&from=.*version=2/);
    await page.goto(`${web.server.url}/loop/late/decisions/2`);
    await page.getByRole('link', { name: 'what monitor late found' }).click();
    await page.getByRole('heading', { name: 'Evaluation of late' }).waitFor();
  });

  it('shows what a caller wrote as text, and explains a number that is none', async () => {
    show(loopFixture());
    const page = await web.open('/loop/late/decisions/9');
    await page.getByText('by ana: <b>a demonstration</b>.').waitFor();
    await page.goto(`${web.server.url}/loop/late/decisions/99`);
    await page.getByRole('alert').getByText('DECISION_NOT_FOUND').waitFor();
    web.forgive(/404 \(Not Found\)/);
  });
});

it('fits the loop on a narrow screen, and in the dark', async () => {
  show(loopFixture());
  for (const [url, name] of [
    ['/loop', 'loop-narrow'],
    ['/loop/late/decisions/4', 'decision-narrow'],
    ['/loop/late/decisions/2', 'decision-situation-narrow'],
  ] as const) {
    const page = await web.open(url, { size: NARROW, scheme: 'dark' });
    await page.getByRole('region').first().waitFor();
    await expect.poll(() => page.getByLabel('Loading').count(), { timeout: LOADED_MS }).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, name);
  }
});
