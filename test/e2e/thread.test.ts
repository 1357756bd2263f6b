import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageFolder } from '../../src/app/program.ts';
import { processEnv } from '../../src/platform/system.ts';
import { freshWeb, launchBrowser, SCREENSHOTS } from './browser.ts';

/**
 * The quickstart as a new user starts it, looked at in a real browser and from a second terminal.
 */

const MAIN = path.join(packageFolder, 'src/app/main.ts');
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
  server = spawn(process.execPath, [MAIN, 'quickstart', '--port', '0', '--json', 'report.json'], {
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
});

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
    { env: processEnv },
  );
  return JSON.parse(stdout);
}

test('the report adds up', async () => {
  const report = JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8')) as {
    readonly requests: number;
    readonly answered: number;
    readonly logged: number;
    readonly labelled: number;
    readonly versions: readonly { readonly requests: number }[];
  };
  const { requests, answered, logged, labelled, versions } = report;
  expect([answered, logged, labelled]).toEqual([requests, requests, requests]);
  expect(versions.reduce((sum, version) => sum + version.requests, 0)).toBe(requests);
  expect(printed).toContain('Not built yet');
});

test('a second terminal finds the running server', async () => {
  expect(await millwright('status')).toMatchObject({ pid: server.pid, clock: 'live' });
  expect(await millwright('endpoints', 'ls')).toMatchObject([
    { name: 'iris', route: { revision: 3, restores: 1 } },
  ]);
  expect(await millwright('tables', 'ls')).toBeDefined();
});

test('the overview shows what happened', async () => {
  await page.goto(url);
  await page.getByText('Everything is well').waitFor();
  await page.getByText('route.rolled_back').first().waitFor();
  await page.getByRole('link', { name: 'iris', exact: true }).first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/thread-overview.png`, fullPage: true });
});

test('a request is explained from the page that lists it', async () => {
  await page.goto(`${url}/trace`);
  const [first] = (await millwright('predictions', 'ls', 'iris', '--limit', '1')) as [
    { readonly requestId: string },
  ];
  await page.goto(`${url}/trace/${first.requestId}`);
  await page.getByText('Routing', { exact: true }).waitFor();
  await page.getByText('trying it out').waitFor();
  await page.getByText('probabilities').first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/thread-request.png`, fullPage: true });
});

test('the browser had nothing to complain about', () => {
  expect(complaints, complaints.join('\n')).toEqual([]);
});

test('Ctrl-C stops it, and the state stays', async () => {
  server.kill('SIGINT');
  const [code] = (await once(server, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(await millwright('models', 'versions', 'iris')).toHaveLength(2);
});
