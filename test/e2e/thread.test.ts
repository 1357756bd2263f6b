import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageFolder } from '../../src/app/program.ts';
import type { QuickstartReport } from '../../src/app/quickstart/quickstart-report.ts';
import { processEnv } from '../../src/platform/system.ts';
import { freshWeb, launchBrowser, SCREENSHOTS } from './browser.ts';

/**
 * The quickstart as a new user starts it, looked at in a real browser and from a second terminal.
 */

const MAIN = path.join(packageFolder, 'src/app/main.ts');
/** The whole story, with a Python environment that is installed for it. */
const STORY_MS_MAX = 15 * 60_000;
/** All of January and February is read to recompute. */
const VERIFY_MS_MAX = 120_000;
const READY = /→ (http:\/\/\S+)/;

let folder: string;
let server: ChildProcess;
let url: string;
let printed = '';
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  await freshWeb();
  folder = await mkdtemp(path.join(tmpdir(), 'mw-thread-'));
  const words = ['quickstart', '--until', '2001-03-02', '--port', '0', '--json', 'report.json'];
  server = spawn(process.execPath, [MAIN, ...words], {
    cwd: folder,
    env: processEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  url = await new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const ready = READY.exec(printed)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.once('exit', (code) => reject(new Error(`exit ${code}\n${printed}`)));
  });
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  page.on('console', (message) => {
    if (message.type() === 'error') {
      complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => complaints.push(error.message));
}, STORY_MS_MAX);

afterAll(async () => {
  await browser.close();
  if (server.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  await rm(folder, { recursive: true });
});

async function millwright(...words: string[]): Promise<unknown> {
  const state = path.join(folder, 'millwright-quickstart', '.millwright');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [MAIN, ...words, '--state', state, '--json'],
    { env: processEnv, cwd: path.join(folder, 'millwright-quickstart') },
  );
  return JSON.parse(stdout);
}

test('the report adds up', async () => {
  const report = JSON.parse(
    await readFile(path.join(folder, 'report.json'), 'utf8'),
  ) as QuickstartReport;
  const { requests, answered, logged, recomputed, mismatches, labelled, training } = report;
  expect(requests).toBeGreaterThan(500);
  expect([answered, logged, recomputed]).toEqual([requests, requests, requests]);
  expect(mismatches).toBe(0);
  expect(labelled).toBeGreaterThan(0);
  expect(report.versions).toEqual([{ version: 1, requests }]);
  expect(training?.rows).toBeGreaterThan(400_000);
  expect(training?.leftOut).toMatchObject({ immatureLabel: 0, missingLabel: 0 });
  const passed = report.deployment.map(({ name, result }) => `${name} ${result}`);
  expect(passed).toEqual([
    'definition passed',
    'signature passed',
    'golden passed',
    'consistency passed',
  ]);
});

test('it closes with the level, the comparison and a page to keep', async () => {
  const report = JSON.parse(
    await readFile(path.join(folder, 'report.json'), 'utf8'),
  ) as QuickstartReport;
  expect(report.level).not.toBeNull();
  expect(report.checks).toHaveLength(45);
  expect(report.checks).toContainEqual({ id: 'B2', state: 'pass' });
  expect(printed).toContain('static February model');
  expect(printed).toContain(`level ${report.level}`);
  const html = path.join(folder, 'millwright-quickstart', 'report.html');
  const shown = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  await shown.goto(`file://${html}`);
  await shown.getByText('It adds up').waitFor();
  await shown.screenshot({ path: `${SCREENSHOTS}/thread-report.png`, fullPage: true });
  await shown.close();
});

test(
  'a second terminal finds the running server',
  async () => {
    expect(await millwright('status')).toMatchObject({ pid: server.pid, clock: 'replay' });
    expect(await millwright('endpoints', 'ls')).toMatchObject([
      { name: 'late', service: 'late_v1', route: { revision: 1 } },
    ]);
    const verified = await millwright('features', 'verify', 'late_v1');
    expect(verified).toMatchObject({ isConsistent: true, skipped: 0 });
  },
  VERIFY_MS_MAX,
);

test(
  'the training pipeline has nothing to do when nothing changed',
  async () => {
    const project = path.join(folder, 'millwright-quickstart');
    const first = await readFile(path.join(project, 'dvc.lock'), 'utf8');
    await millwright('run', 'prepare');
    expect(await readFile(path.join(project, 'dvc.lock'), 'utf8')).toBe(first);
  },
  VERIFY_MS_MAX,
);

test('the overview shows what happened', async () => {
  await page.goto(url);
  await page.getByText('Everything is well').waitFor();
  await page.getByRole('link', { name: 'late', exact: true }).first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/thread-overview.png`, fullPage: true });
});

test('a request is explained from the page that lists it', async () => {
  const [first] = (await millwright('predictions', 'ls', 'late', '--limit', '1')) as [
    { readonly requestId: string },
  ];
  await page.goto(`${url}/trace/${first.requestId}`);
  await page.getByText('Routing', { exact: true }).waitFor();
  await page.getByText('origin_delays__late_7d').first().waitFor();
  await page.getByText('late_train').first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/thread-request.png`, fullPage: true });
});

test.each([
  ['features', 'late_v1'],
  ['runs', 'late'],
  ['models', 'late'],
])('the page %s shows the example', async (name, text) => {
  await page.goto(`${url}/${name}`);
  await page.getByText(text).first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/thread-${name}.png`, fullPage: true });
});

test('the browser had nothing to complain about', () => {
  expect(complaints, complaints.join('\n')).toEqual([]);
});

test('Ctrl-C stops it, and the state stays', async () => {
  server.kill('SIGINT');
  const [code] = (await once(server, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(await millwright('models', 'versions', 'late')).toHaveLength(1);
});
