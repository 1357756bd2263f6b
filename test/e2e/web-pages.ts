import path from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { freshWeb, launchBrowser, SCREENSHOTS } from './browser.ts';
import { emptyFixture } from './fixture-data.ts';
import { FixtureServer } from './fixture-server.ts';

/** Fails with what was waited for, before vitest gives up without a word. */
const WAIT_MS = 15_000;
const WIDE = { width: 1360, height: 900 };
/** The narrowest phones in use. */
export const NARROW = { width: 360, height: 740 };

/** Chromium prints some violations of the page's policy without a word, and others not at all. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (violation) => {
  console.error('policy', violation.violatedDirective, violation.blockedURI, violation.sourceFile);
})`;

interface Look {
  readonly size?: { readonly width: number; readonly height: number };
  readonly scheme?: 'light' | 'dark';
  /** Where the page comes from, when not from the fixture. */
  readonly origin?: string;
}

/**
 * Pages of the built UI in a real browser, before a fixture server of their own in each test. A
 * test fails when the browser complained or asked anybody but the server for something.
 */
export class WebPages {
  #webRoot = '';
  #browser: Browser | null = null;
  #server: FixtureServer | null = null;
  #complaints: string[] = [];
  #forgiven: RegExp[] = [];
  #outside: string[] = [];

  constructor() {
    beforeAll(async () => {
      this.#webRoot = await freshWeb();
      this.#browser = await launchBrowser();
    });
    afterAll(async () => {
      await this.#browser?.close();
    });
    beforeEach(async () => {
      this.#complaints = [];
      this.#forgiven = [];
      this.#outside = [];
      this.#server = await FixtureServer.start(this.#webRoot, emptyFixture());
    });
    afterEach(async () => {
      await this.close();
      await this.server.close();
      expect(this.#outside).toEqual([]);
      const isForgiven = (text: string) => this.#forgiven.some((it) => it.test(text));
      expect(this.#complaints.filter((text) => !isForgiven(text))).toEqual([]);
    });
  }

  get server(): FixtureServer {
    return this.#server!;
  }

  async open(url: string, look: Look = {}): Promise<Page> {
    const { size = WIDE, scheme = 'light', origin: own = this.server.url } = look;
    const context = await this.#browser!.newContext({
      viewport: size,
      colorScheme: scheme,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on('console', (message) => {
      const isComplaint = message.type() === 'error' || message.type() === 'warning';
      if (isComplaint) this.#complaints.push(message.text());
    });
    await page.addInitScript(REPORT_VIOLATIONS);
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== own) this.#outside.push(request.url());
    });
    await page.goto(own + url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  /** Closes every page: one that outlives its server complains. */
  async close(): Promise<void> {
    await Promise.all(this.#browser?.contexts().map((context) => context.close()) ?? []);
  }

  /**
   * Complaints that the test provokes, such as the browser's own report of each 404: those of the
   * whole test, because the browser reports when it likes.
   */
  forgive(pattern: RegExp): void {
    this.#forgiven.push(pattern);
  }
}

/** The picture of a page for people to look at; nothing compares it. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Pixels by which the page is wider than its window. */
export async function overflow(page: Page): Promise<unknown> {
  return await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
}

export async function rows(page: Page, table: string): Promise<number> {
  return await page.getByRole('table', { name: table, exact: true }).locator('tbody tr').count();
}
